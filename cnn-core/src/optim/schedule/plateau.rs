use crate::optim::InvalidOption;
use crate::optim::invalid::{check_not_negative, is_finite};
use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// Which of two metrics is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Better {
    /// The less, of a loss.
    #[default]
    Less,
    /// The more, of an accuracy.
    More,
}

/// By how much a metric has to be better than the best so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// By this share of the best.
    Relative(f64),
    /// By this much.
    Absolute(f64),
}

/// The learning rate falls when a metric has not become better for some time.
///
/// With PyTorch's names, defaults and numbers:
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html>. Unlike the other schedules it counts,
/// so it is part of what a run that is taken up again has to know: all of it is in its fields.
///
/// ```
/// use cnn_core::optim::schedule::ReduceLrOnPlateau;
///
/// let mut plateau = ReduceLrOnPlateau { patience: 1, ..ReduceLrOnPlateau::new(0.1) };
/// let losses = [1.0, 0.8, 0.8, 0.8, 0.7];
/// let rates = losses.map(|loss| plateau.next(loss).unwrap());
/// assert_eq!(rates, [0.1, 0.1, 0.1, 0.1 * 0.1, 0.1 * 0.1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReduceLrOnPlateau {
    /// The learning rate as it is.
    pub lr: f64,
    /// Which metric is better.
    pub mode: Better,
    /// What the learning rate is multiplied by, below 1.
    pub factor: f64,
    /// How many metrics in a row may be no better before it falls.
    pub patience: u64,
    /// By how much a metric has to be better.
    pub threshold: Threshold,
    /// How many metrics after a fall do not count.
    pub cooldown: u64,
    /// The least learning rate.
    pub min_lr: f64,
    /// A fall of no more than this is none.
    pub eps: f64,
    /// The best metric so far.
    pub best: Option<f64>,
    /// How many in a row were no better.
    pub num_bad_epochs: u64,
    /// How many still do not count.
    pub cooldown_counter: u64,
}

impl ReduceLrOnPlateau {
    /// PyTorch's defaults: a loss, a tenth after 10 that were no better by a ten-thousandth.
    pub fn new(lr: f64) -> Self {
        Self {
            lr,
            mode: Better::Less,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
            best: None,
            num_bad_epochs: 0,
            cooldown_counter: 0,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        if !(0.0..1.0).contains(&self.factor) {
            return Err(InvalidOption::Factor { name: "factor", value: self.factor });
        }
        let (Threshold::Relative(threshold) | Threshold::Absolute(threshold)) = self.threshold;
        if !is_finite(threshold) {
            return Err(InvalidOption::Threshold(threshold));
        }
        check_not_negative(self.min_lr, InvalidOption::EtaMin)?;
        check_not_negative(self.eps, InvalidOption::LeastFall)
    }

    /// The learning rate after another metric, usually that of an epoch's validation. One that is NaN is no better.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says; nothing is counted then.
    pub fn next(&mut self, metric: f64) -> Result<f64, InvalidOption> {
        self.validate()?;
        if self.is_better(metric) {
            self.best = Some(metric);
            self.num_bad_epochs = 0;
        } else {
            self.num_bad_epochs += 1;
        }
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.num_bad_epochs = 0;
        }
        if self.num_bad_epochs > self.patience {
            let lower = (self.lr * self.factor).max(self.min_lr);
            if self.lr - lower > self.eps {
                self.lr = lower;
            }
            self.cooldown_counter = self.cooldown;
            self.num_bad_epochs = 0;
        }
        Ok(self.lr)
    }

    fn is_better(&self, metric: f64) -> bool {
        let none = if self.mode == Better::Less { f64::INFINITY } else { f64::NEG_INFINITY };
        let best = self.best.unwrap_or(none);
        match (self.mode, self.threshold) {
            (Better::Less, Threshold::Relative(share)) => metric < best * (1.0 - share),
            (Better::Less, Threshold::Absolute(by)) => metric < best - by,
            (Better::More, Threshold::Relative(share)) => metric > best * (1.0 + share),
            (Better::More, Threshold::Absolute(by)) => metric > best + by,
        }
    }
}

/// What it counts, and the learning rate as it is; its options are those of the program.
impl State for ReduceLrOnPlateau {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.real("lr", self.lr);
        record.within("best", &self.best);
        record.wholes("counts", vec![self.num_bad_epochs, self.cooldown_counter]);
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let (lr, counts) = (found.real("lr")?, found.wholes("counts")?);
        let [bad, cooldown] = counts[..] else {
            return Err(found.other("counts", "2 whole numbers", &counts.len().to_string()));
        };
        let best = found.stage("best", &mut self.best)?;
        let (own_lr, own_bad, own_cooldown) = (&mut self.lr, &mut self.num_bad_epochs, &mut self.cooldown_counter);
        Ok(Box::new(move || {
            best();
            (*own_lr, *own_bad, *own_cooldown) = (lr, bad, cooldown);
        }))
    }
}

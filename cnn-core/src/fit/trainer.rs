use core::fmt;
use core::ops::{ControlFlow, Range};
use std::path::PathBuf;

use super::bar::Bar;
use super::{Batches, Criterion, History, Scores, interrupt};
use crate::Error;
use crate::io::{SavedSnapshot, Snapshot, Snapshots};
use crate::layer::Mode;
use crate::network::Network;
use crate::optim::schedule::{Better, ReduceLrOnPlateau, Schedule};
use crate::snapshot::State;
use crate::train::{Averaged, Averaging, Optimizer, Processes, Training, hashed, shards_of};

/// A run over epochs: a network of type `N`, an optimizer of type `O`, and all that changes while it goes on. See [`fit`](super).
pub struct Trainer<N: Network, O> {
    network: N,
    optimizer: O,
    training: Training<N>,
    history: History,
    /// The next epoch and batch, and how many epochs in a row were no better than the best.
    place: [u64; 3],
    /// Of the epoch that goes on: the losses of its samples, and how many those are.
    sums: [f64; 2],
    best: Option<f64>,
    average: Option<Averaged<N>>,
    plateau: Option<ReduceLrOnPlateau>,
    schedule: Option<(Box<dyn Schedule>, Unit)>,
    clip_norm: Option<f64>,
    /// Batches of a step.
    shards: usize,
    snapshots: Option<Snapshots>,
    /// Steps between snapshots within an epoch.
    every: Option<u64>,
    monitor: (String, Better),
    patience: Option<u64>,
    on_epoch: Vec<OnEpoch<N>>,
    is_shown: bool,
}

type OnEpoch<N> = Box<dyn FnMut(&Epoch<'_>, &mut N) -> ControlFlow<()>>;

/// What a schedule counts.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Step,
    Epoch,
}

/// An epoch that has been.
#[derive(Clone, Copy, Debug)]
pub struct Epoch<'a> {
    /// How many there have been with it.
    pub number: u64,
    /// The mean loss of its samples in training, each before the step that it was part of.
    pub loss: f64,
    /// What validation found; nothing if there was none.
    pub scores: &'a Scores,
    /// Whether what is monitored was better than ever before.
    pub is_best: bool,
    /// The learning rate of its last step.
    pub lr: f64,
    /// Samples per second in training.
    pub rate: f64,
}

/// How a run came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By its last epoch.
    AllEpochs,
    /// What is monitored was no better for so many epochs.
    NoBetter {
        /// How many.
        epochs: u64,
    },
    /// A callback ended it.
    Callback,
    /// Ctrl-C ended it, behind a step.
    Interrupted {
        /// The step.
        step: u64,
        /// Where it was saved, from where [`Trainer::resume`] goes on; nowhere if it has no snapshots.
        saved: Option<PathBuf>,
    },
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllEpochs => write!(formatter, "all epochs are done"),
            Self::NoBetter { epochs } => write!(formatter, "no better for {epochs} epochs"),
            Self::Callback => write!(formatter, "ended by a callback"),
            Self::Interrupted { step, saved: Some(path) } => {
                write!(
                    formatter,
                    "interrupted behind step {step}, saved to {}: resume goes on from there",
                    path.display()
                )
            }
            Self::Interrupted { step, saved: None } => {
                write!(
                    formatter,
                    "interrupted behind step {step}, and saved nowhere, as no folder of snapshots is given"
                )
            }
        }
    }
}

/// The processes that train together, if there are some.
#[derive(Clone, Copy)]
struct Among<'a> {
    processes: Option<&'a dyn Processes>,
}

/// What all processes found in a step.
struct Met {
    samples: usize,
    is_asked: bool,
}

impl Among<'_> {
    /// Whether this one is the one that saves.
    fn is_first(self) -> bool {
        self.processes.is_none_or(|processes| processes.rank() == 0)
    }

    /// Which shards of a step are this one's.
    fn own(self, shards: usize) -> Result<Range<usize>, Error> {
        self.processes.map_or(Ok(0..shards), |processes| shards_of(processes.rank(), processes.count(), shards))
    }

    /// The samples of all, and whether one of them is asked to end.
    fn meet(self, samples: usize, is_asked: bool) -> Result<Met, Error> {
        let Some(processes) = self.processes else { return Ok(Met { samples, is_asked }) };
        let all = processes.gather(&[samples as f64, f64::from(is_asked)])?;
        let samples = all.iter().map(|of_one| of_one[0] as usize).sum();
        Ok(Met { samples, is_asked: all.iter().any(|of_one| of_one[1] > 0.0) })
    }

    /// Whether a callback of any of them ends the run; all have to have found the same, as it decides how they go on.
    fn agree(self, scores: &Scores, is_ended: bool) -> Result<bool, Error> {
        let Some(processes) = self.processes else { return Ok(is_ended) };
        let bytes = scores.0.iter().flat_map(|(name, value)| name.bytes().chain(value.to_bits().to_le_bytes()));
        let found = hashed(bytes.map(u64::from));
        let all = processes.gather(&[found, f64::from(is_ended)])?;
        match all.iter().position(|of_one| of_one[0] != found) {
            Some(rank) => Err(Error::Process { rank, what: "its validation has found other numbers".to_owned() }),
            None => Ok(all.iter().any(|of_one| of_one[1] > 0.0)),
        }
    }
}

impl<N: Network, O: Optimizer<N> + State> Trainer<N, O> {
    /// A run that has not begun. What random layers draw follows from the seed.
    pub fn new(network: N, optimizer: O, seed: u64) -> Self {
        Self {
            network,
            optimizer,
            training: Training::new(seed),
            history: History::default(),
            place: [0; 3],
            sums: [0.0; 2],
            best: None,
            average: None,
            plateau: None,
            schedule: None,
            clip_norm: None,
            shards: 1,
            snapshots: None,
            every: None,
            monitor: ("loss".to_owned(), Better::Less),
            patience: None,
            on_epoch: Vec::new(),
            is_shown: true,
        }
    }

    /// With a learning rate that follows a schedule, step by step.
    #[must_use]
    pub fn schedule(self, schedule: impl Schedule + 'static) -> Self {
        Self { schedule: Some((Box::new(schedule), Unit::Step)), ..self }
    }

    /// The same, epoch by epoch.
    #[must_use]
    pub fn schedule_by_epoch(self, schedule: impl Schedule + 'static) -> Self {
        Self { schedule: Some((Box::new(schedule), Unit::Epoch)), ..self }
    }

    /// With a learning rate that falls when what is [monitored](Self::monitor) has not become better for some epochs.
    #[must_use]
    pub fn plateau(self, plateau: ReduceLrOnPlateau) -> Self {
        Self { plateau: Some(plateau), ..self }
    }

    /// With gradients that are at most so long.
    #[must_use]
    pub fn clip_norm(self, max_norm: f64) -> Self {
        Self { clip_norm: Some(max_norm), ..self }
    }

    /// With steps of so many batches, which are the shards of one: see [`backward_shards`](Training::backward_shards), for batches
    /// that are larger than memory, and [`fit_among`](Self::fit_among). Batches that are less than a step at the end of an epoch
    /// are left out.
    #[must_use]
    pub fn shards(self, shards: usize) -> Self {
        Self { shards, ..self }
    }

    /// With an average of the weights of all steps, which is what validation sees, and what is the network in the end.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when the decay makes no sense.
    pub fn averaged(self, averaging: Averaging) -> Result<Self, Error> {
        let average = Averaged::new(&self.network, averaging)?;
        Ok(Self { average: Some(average), ..self })
    }

    /// With a snapshot behind each epoch, another one when Ctrl-C ends it, and one of the best epoch.
    #[must_use]
    pub fn snapshots(self, snapshots: Snapshots) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// With a snapshot behind every so many steps, too: of long epochs.
    #[must_use]
    pub fn snapshot_every(self, steps: u64) -> Self {
        Self { every: Some(steps.max(1)), ..self }
    }

    /// What validation found that says which epoch is best, by name: `loss`, the less the better, if nothing else is said.
    #[must_use]
    pub fn monitor(self, name: &str, better: Better) -> Self {
        Self { monitor: (name.to_owned(), better), ..self }
    }

    /// Ends when what is [monitored](Self::monitor) was no better for so many epochs in a row.
    #[must_use]
    pub fn early_stopping(self, patience: u64) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Calls this behind each epoch, with the network, which it may change: to freeze some of it or let it be trained again, say. It
    /// can end the run.
    #[must_use]
    pub fn on_epoch(mut self, call: impl FnMut(&Epoch<'_>, &mut N) -> ControlFlow<()> + 'static) -> Self {
        self.on_epoch.push(Box::new(call));
        self
    }

    /// Without a progress bar. There is none in any case where the standard error is no terminal.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { is_shown: false, ..self }
    }

    /// The network, as the last step left it.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// See [`network`](Self::network).
    pub fn network_mut(&mut self) -> &mut N {
        &mut self.network
    }

    /// The steps: to run some part in evaluation mode.
    pub fn training_mut(&mut self) -> &mut Training<N> {
        &mut self.training
    }

    /// What was measured: `loss` and `lr` of each epoch, and what validation found, as `validation loss`.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How many epochs are done.
    pub fn epochs(&self) -> u64 {
        self.place[0]
    }

    /// The network that has learned: the average, if there is one.
    pub fn into_network(self) -> N {
        match self.average {
            Some(average) => average.into_network(),
            None => self.network,
        }
    }

    /// Goes on from the last snapshot, if there is one; whether there is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Weights`] and [`Error::Snapshot`] of one that cannot be read, or is of another run.
    pub fn resume(&mut self) -> Result<bool, Error> {
        match self.snapshots.as_ref().map(Snapshots::read_latest).transpose()?.flatten() {
            Some(saved) => self.restore(&saved).map(|()| true),
            None => Ok(false),
        }
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::Snapshot`] of another run; nothing is changed then.
    pub fn restore(&mut self, saved: &SavedSnapshot) -> Result<(), Error> {
        let mut states: Vec<(&str, &mut dyn State)> = vec![
            ("model", &mut self.network),
            ("optimizer", &mut self.optimizer),
            ("training", &mut self.training),
            ("history", &mut self.history),
            ("place", &mut self.place),
            ("sums", &mut self.sums),
            ("best", &mut self.best),
        ];
        if let Some(average) = &mut self.average {
            states.push(("average", average));
        }
        if let Some(plateau) = &mut self.plateau {
            states.push(("plateau", plateau));
        }
        saved.restore(&mut states)?;
        tracing::info!(step = self.training.step(), epoch = self.place[0], "goes on from {saved:?}");
        Ok(())
    }

    /// All of it that the next step depends on.
    pub fn snapshot(&self) -> Snapshot<'_> {
        let mut snapshot = Snapshot::new()
            .with("model", &self.network)
            .with("optimizer", &self.optimizer)
            .with("training", &self.training)
            .with("history", &self.history)
            .with("place", &self.place)
            .with("sums", &self.sums)
            .with("best", &self.best);
        if let Some(average) = &self.average {
            snapshot = snapshot.with("average", average);
        }
        if let Some(plateau) = &self.plateau {
            snapshot = snapshot.with("plateau", plateau);
        }
        snapshot
    }

    fn save(&self, among: Among<'_>) -> Result<Option<PathBuf>, Error> {
        let snapshots = self.snapshots.as_ref().filter(|_| among.is_first());
        snapshots.map(|snapshots| snapshots.save(self.training.step(), &self.snapshot())).transpose()
    }

    /// Trains until so many epochs are done, those before a [`resume`](Self::resume) included. Behind each, `validate` says how good
    /// the network is: see [`evaluate`](super::evaluate); `|_| Ok(Scores::default())` says nothing.
    ///
    /// # Errors
    ///
    /// Those of the data, of the loss, of validation, and of saving. What was done until then is in the trainer, and in the last
    /// snapshot.
    pub fn fit<B, C>(
        &mut self,
        batches: &mut B,
        criterion: &C,
        epochs: u64,
        validate: impl FnMut(&N) -> Result<Scores, Error>,
    ) -> Result<Ended, Error>
    where
        B: Batches<Input = N::Input>,
        C: Criterion<N::Output, B::Targets>,
    {
        self.fit_as(None, batches, criterion, epochs, validate)
    }

    /// [`fit`](Self::fit) by several processes together, such as those of an MPI run: each takes as many of the
    /// [shards](Self::shards) of a step, from a loader of its own that is like those of the others. All have the same bits
    /// at any number of processes, so that a run goes on with another number. The first one shows a bar and saves; all read
    /// the snapshot that they [`resume`](Self::resume) from, and all validate, and have to find the same.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), where what goes wrong in one process is an error in all; [`Error::Shards`] when processes and shards are
    /// no powers of two, or there are less shards; [`Error::Process`] when one does not answer, or is at another place.
    pub fn fit_among<B, C>(
        &mut self,
        processes: &dyn Processes,
        batches: &mut B,
        criterion: &C,
        epochs: u64,
        validate: impl FnMut(&N) -> Result<Scores, Error>,
    ) -> Result<Ended, Error>
    where
        B: Batches<Input = N::Input>,
        C: Criterion<N::Output, B::Targets>,
    {
        let ended = self.fit_as(Some(processes), batches, criterion, epochs, validate);
        if let Err(error) = &ended
            && !matches!(error, Error::Process { .. })
        {
            processes.fail(&error.to_string());
        }
        ended
    }

    fn fit_as<B, C>(
        &mut self,
        processes: Option<&dyn Processes>,
        batches: &mut B,
        criterion: &C,
        epochs: u64,
        mut validate: impl FnMut(&N) -> Result<Scores, Error>,
    ) -> Result<Ended, Error>
    where
        B: Batches<Input = N::Input>,
        C: Criterion<N::Output, B::Targets>,
    {
        interrupt::listen();
        let among = Among { processes };
        let mut ended = Ended::AllEpochs;
        while self.place[0] < epochs {
            if let Some(early) = self.epoch(among, batches, criterion, epochs, &mut validate)? {
                tracing::info!("{early}");
                ended = early;
                break;
            }
        }
        // The first one has saved, or all hear that it could not.
        among.meet(0, false)?;
        Ok(ended)
    }

    fn epoch<B, C>(
        &mut self,
        among: Among<'_>,
        batches: &mut B,
        criterion: &C,
        epochs: u64,
        validate: &mut impl FnMut(&N) -> Result<Scores, Error>,
    ) -> Result<Option<Ended>, Error>
    where
        B: Batches<Input = N::Input>,
        C: Criterion<N::Output, B::Targets>,
    {
        let (epoch, done) = (self.place[0], self.place[1] as usize);
        let own = among.own(self.shards)?;
        let steps = batches.per_epoch() / self.shards.max(1);
        let mut bar = Bar::new(epoch, epochs, steps, done, self.is_shown && among.is_first());
        let mut of_epoch = batches.from(epoch, done, own.clone(), self.shards)?;
        loop {
            let shards = of_epoch.by_ref().take(own.len()).collect::<Result<Vec<_>, _>>()?;
            if shards.is_empty() {
                break;
            }
            let loss = self.step::<B, C>(among, &shards, criterion, epoch)?;
            let own_samples = shards.iter().map(|batch| batch.input.len()).sum();
            let Met { samples, is_asked } = among.meet(own_samples, interrupt::is_asked())?;
            self.sums[0] += loss * samples as f64;
            self.sums[1] += samples as f64;
            self.place[1] += 1;
            bar.step(samples, loss);
            if is_asked || self.every.is_some_and(|every| self.training.step().is_multiple_of(every)) {
                let saved = self.save(among)?;
                if is_asked {
                    return Ok(Some(Ended::Interrupted { step: self.training.step(), saved }));
                }
            }
        }
        drop(of_epoch);
        let (loss, rate) = (self.sums[0] / self.sums[1], bar.rate());
        let scores = validate(self.average.as_ref().map_or(&self.network, Averaged::network))?;
        self.place = [epoch + 1, 0, self.place[2]];
        self.sums.fill(0.0);
        let is_best = self.judge(&scores)?;
        let number = epoch + 1;
        let lr = self.optimizer.lr();
        self.history.push("loss", number, loss);
        self.history.push("lr", number, lr);
        scores.0.iter().for_each(|(name, value)| self.history.push(&format!("validation {name}"), number, *value));
        let line = format!("epoch {number}/{epochs}: loss {loss:.4}; {scores}; {rate:.0} images/s");
        tracing::info!(epoch = number, loss, lr, seconds = bar.time().as_secs_f64(), "{line}");
        bar.finish(&line);
        let of_epoch = Epoch { number, loss, scores: &scores, is_best, lr, rate };
        let mut is_ended = false;
        for call in &mut self.on_epoch {
            is_ended |= call(&of_epoch, &mut self.network).is_break();
        }
        is_ended = among.agree(&scores, is_ended)?;
        self.save(among)?;
        if is_best
            && among.is_first()
            && let Some(snapshots) = &self.snapshots
        {
            snapshots.save_best(&self.snapshot())?;
        }
        if is_ended {
            return Ok(Some(Ended::Callback));
        }
        Ok(self.patience.filter(|patience| self.place[2] >= *patience).map(|epochs| Ended::NoBetter { epochs }))
    }

    fn step<B, C>(&mut self, among: Among<'_>, batches: &[B::Batch], criterion: &C, epoch: u64) -> Result<f64, Error>
    where
        B: Batches<Input = N::Input>,
        C: Criterion<N::Output, B::Targets>,
    {
        if let Some((schedule, unit)) = &self.schedule {
            let at = if *unit == Unit::Step { self.training.step() } else { epoch };
            self.optimizer.set_lr(schedule.lr(at)?)?;
        }
        let mut shards = Vec::with_capacity(batches.len());
        for batch in batches {
            shards.push((&batch.input, criterion.of(&batch.targets)?));
        }
        let (training, network) = (&mut self.training, &mut self.network);
        let loss = match (among.processes, &shards[..]) {
            (Some(processes), _) => training.backward_among(processes, Mode::Training, network, &shards)?,
            (None, [(input, loss)]) => training.backward(Mode::Training, network, input, loss)?,
            (None, _) => training.backward_shards(Mode::Training, network, &shards)?,
        };
        if let Some(max_norm) = self.clip_norm {
            self.training.gradients_mut().clip_norm(max_norm)?;
        }
        self.optimizer.step(&mut self.network, self.training.gradients());
        if let Some(average) = &mut self.average {
            average.update(&self.network);
        }
        Ok(loss.into())
    }

    /// Whether an epoch is the best so far, and what follows for the learning rate.
    fn judge(&mut self, scores: &Scores) -> Result<bool, Error> {
        let (name, better) = &self.monitor;
        let Some(found) = scores.get(name) else { return Ok(false) };
        let is_best = !found.is_nan()
            && self.best.is_none_or(|best| match better {
                Better::Less => found < best,
                Better::More => found > best,
            });
        if is_best {
            self.best = Some(found);
            self.place[2] = 0;
        } else {
            self.place[2] += 1;
        }
        if let Some(plateau) = &mut self.plateau {
            let lr = plateau.next(found)?;
            self.optimizer.set_lr(lr)?;
        }
        Ok(is_best)
    }
}

impl<N: Network, O: fmt::Debug> fmt::Debug for Trainer<N, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Trainer<{}>({:?}, {} epochs)", N::NAME, self.optimizer, self.place[0])
    }
}

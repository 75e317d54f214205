//! Averages of a network's weights over the steps of a training.

use core::fmt;

use crate::Error;
use crate::network::Network;
use crate::optim::InvalidOption;

/// How weights are averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Averaging {
    /// A running mean (EMA): `decay * average + (1 - decay) * weights`. PyTorch's default is 0.999.
    Exponential {
        /// The share of the average that is kept, from 0 to below 1.
        decay: f64,
    },
    /// The mean of all, each as much as the others: stochastic weight averaging (SWA). <https://arxiv.org/abs/1803.05407>
    Equal,
}

/// A network of averaged weights, which often does better than the last ones: what is shown to the validation, and saved.
///
/// As PyTorch's `AveragedModel`, the first update takes the weights as they are, and running statistics are those of the
/// network: <https://pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html>. Where the average is far from
/// the network, statistics of its own are found by some passes in training mode, `Training::forward`.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::train::{Averaged, Averaging};
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
/// }
///
/// let (mut net, mut training) = (Classifier::new(0), Training::new(0));
/// let mut optimizer = Sgd::new(SgdOptions::new(0.1))?;
/// let mut average = Averaged::new(&net, Averaging::Exponential { decay: 0.99 })?;
/// let (images, labels) = (Batch::from_nchw(&[0.5; 2 * 16])?, Labels::new(&[0, 2])?);
/// for _ in 0..10 {
///     training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
///     optimizer.step(&mut net, training.gradients());
///     average.update(&net);
/// }
/// let scores: Batch<Flat<3>> = average.network().forward(&images);
/// # Ok::<(), Error>(())
/// ```
pub struct Averaged<N> {
    network: N,
    averaging: Averaging,
    updates: u64,
}

impl<N: Network> Averaged<N> {
    /// An average of none yet: the network as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when the decay makes no sense.
    pub fn new(network: &N, averaging: Averaging) -> Result<Self, Error> {
        if let Averaging::Exponential { decay } = averaging
            && !(0.0..1.0).contains(&decay)
        {
            return Err(InvalidOption::Decay(decay).into());
        }
        Ok(Self { network: N::from_weights(network.weights().clone()), averaging, updates: 0 })
    }

    /// Takes the weights of another step into the average.
    pub fn update(&mut self, network: &N) {
        let (own, new) = (self.network.weights_mut(), network.weights());
        if self.updates == 0 {
            own.take(new.clone());
        } else {
            let share = match self.averaging {
                Averaging::Exponential { decay } => (1.0 - decay) as f32,
                Averaging::Equal => (1.0 / (self.updates as f64 + 1.0)) as f32,
            };
            own.values_mut().iter_mut().zip(new.values()).for_each(|(own, new)| *own += share * (new - *own));
            own.state_mut().copy_from_slice(new.state());
            own.counts_mut().copy_from_slice(new.counts());
        }
        self.updates += 1;
    }

    /// The network of the averaged weights.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// See [`network`](Self::network): to find running statistics of its own.
    pub fn network_mut(&mut self) -> &mut N {
        &mut self.network
    }

    /// The network, and how many steps it is of.
    pub(super) fn parts_mut(&mut self) -> (&mut N, &mut u64) {
        (&mut self.network, &mut self.updates)
    }

    /// The network alone.
    pub fn into_network(self) -> N {
        self.network
    }

    /// How many steps it is of.
    pub fn updates(&self) -> u64 {
        self.updates
    }
}

impl<N: Network> fmt::Debug for Averaged<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Averaged<{}>({:?}, {} updates)", N::NAME, self.averaging, self.updates)
    }
}

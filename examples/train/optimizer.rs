//! An optimizer that the command line names.

use clap::ValueEnum;
use cnn_core::network::{Gradients, Network};
use cnn_core::optim::{AdagradOptions, LambOptions, RmsPropOptions};
use cnn_core::prelude::*;
use cnn_core::snapshot::{Found, Record, SnapshotProblem, Staged, State};
use cnn_core::train::{Adagrad, Lamb, Optimizer, RmsProp, is_vector};

/// Which, with the options that are usual for it; biases and normalizations do not decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// Stochastic gradient descent with Nesterov's momentum of 0.9
    Sgd,
    /// Adam
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
    /// RMSprop
    Rmsprop,
    /// Adagrad
    Adagrad,
    /// LAMB, for large batches
    Lamb,
}

impl Name {
    /// A learning rate to start from.
    pub(crate) fn usual_lr(self) -> f64 {
        match self {
            Self::Sgd => 0.05,
            Self::Adam | Self::Adamw => 1e-3,
            Self::Rmsprop => 1e-3,
            Self::Adagrad => 1e-2,
            Self::Lamb => 5e-3,
        }
    }
}

/// Any of them.
pub(crate) enum Any<N> {
    Sgd(Sgd<N>),
    Adam(Adam<N>),
    RmsProp(RmsProp<N>),
    Adagrad(Adagrad<N>),
    Lamb(Lamb<N>),
}

macro_rules! each {
    ($any:expr, $one:ident => $what:expr) => {
        match $any {
            Any::Sgd($one) => $what,
            Any::Adam($one) => $what,
            Any::RmsProp($one) => $what,
            Any::Adagrad($one) => $what,
            Any::Lamb($one) => $what,
        }
    };
}

impl<N: Network> Any<N> {
    /// One of a name.
    pub(crate) fn new(name: Name, lr: f64, decay: f64) -> Result<Self, Error> {
        Ok(match name {
            Name::Sgd => {
                let options = SgdOptions::new(lr).momentum(0.9).nesterov(true).weight_decay(decay);
                Self::Sgd(Sgd::new(options)?.group(is_vector, |options| options.weight_decay(0.0))?)
            }
            Name::Adam | Name::Adamw => {
                let options = if name == Name::Adam { AdamOptions::new(lr) } else { AdamOptions::adamw(lr) };
                let options = options.weight_decay(decay);
                Self::Adam(Adam::new(options)?.group(is_vector, |options| options.weight_decay(0.0))?)
            }
            Name::Rmsprop => {
                let options = RmsPropOptions::new(lr).weight_decay(decay);
                Self::RmsProp(RmsProp::new(options)?.group(is_vector, |options| options.weight_decay(0.0))?)
            }
            Name::Adagrad => {
                let options = AdagradOptions::new(lr).weight_decay(decay);
                Self::Adagrad(Adagrad::new(options)?.group(is_vector, |options| options.weight_decay(0.0))?)
            }
            Name::Lamb => {
                let options = LambOptions::new(lr).weight_decay(decay);
                Self::Lamb(Lamb::new(options)?.group(is_vector, |options| options.weight_decay(0.0))?)
            }
        })
    }
}

impl<N: Network> Optimizer<N> for Any<N> {
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>) {
        each!(self, one => one.step(network, gradients));
    }

    fn lr(&self) -> f64 {
        each!(self, one => one.lr())
    }

    fn set_lr(&mut self, lr: f64) -> Result<(), Error> {
        each!(self, one => one.set_lr(lr))
    }
}

impl<N: Network> State for Any<N> {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        each!(self, one => one.record(record));
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        each!(self, one => one.stage(found))
    }
}

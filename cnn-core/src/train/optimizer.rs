//! Optimizers of a network's weights: their options and state, laid out as the weights.

use core::fmt;
use core::marker::PhantomData;

use crate::kernel::buffer::Buffer;
use crate::network::{Gradients, Network};
use crate::optim::{AdamOptions, AdamWOptions, SgdOptions};

/// What changes the weights of a network of type `N` by a gradient.
pub trait Optimizer<N: Network> {
    /// One step, at the current learning rate.
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>);

    /// The learning rate.
    fn learning_rate(&self) -> f32;

    /// Sets the learning rate of the steps that follow; a schedule's is valid by construction.
    fn set_learning_rate(&mut self, learning_rate: f32);
}

/// Stochastic gradient descent with PyTorch's options. See [`SgdOptions`].
pub struct Sgd<N> {
    options: SgdOptions,
    steps: u64,
    momentum: Buffer,
    network: PhantomData<fn() -> N>,
}

/// Adam with PyTorch's options. See [`AdamOptions`].
pub struct Adam<N> {
    options: AdamOptions,
    steps: u64,
    mean: Buffer,
    square: Buffer,
    network: PhantomData<fn() -> N>,
}

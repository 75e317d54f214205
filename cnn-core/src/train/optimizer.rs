//! Optimizers of a network's weights: their options and state, laid out as the weights.

use core::fmt;
use core::marker::PhantomData;

use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::network::{Gradients, Network, Resize};
use crate::optim::{AdamOptions, SgdOptions};

/// What changes the weights of a network of type `N` by the gradient of a loss.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not optimize `{N}`",
    note = "gradients and an optimizer's state belong to one type of network: make an optimizer for `{N}`"
)]
pub trait Optimizer<N: Network> {
    /// One step down the gradient, of all parameters: one whose gradient is zero is [still moved](crate::optim#parameters-without-a-gradient)
    /// by momentum and weight decay.
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>);

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate of the steps that follow, as a schedule does.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it is negative or not finite; it is then as it was.
    fn set_lr(&mut self, lr: f64) -> Result<(), Error>;
}

/// Stochastic gradient descent, with PyTorch's options: see [`SgdOptions`].
pub struct Sgd<N> {
    options: SgdOptions,
    steps: u64,
    momentum: Buffer,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Sgd<N> {
    /// For a network of type `N`, before its first step.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when one makes no sense.
    pub fn new(options: SgdOptions) -> Result<Self, Error> {
        options.validate()?;
        let momentum = Buffer::zeros(if options.has_momentum() { N::PARAMETERS } else { 0 });
        Ok(Self { options, steps: 0, momentum, network: PhantomData })
    }

    /// For the network at another size: the state goes with it, and none of it is copied. See [`Resize`].
    pub fn resized<M: Resize<First = N::First>>(self) -> Sgd<M>
    where
        N: Resize,
    {
        let Self { options, steps, momentum, .. } = self;
        Sgd { options, steps, momentum, network: PhantomData }
    }
}

impl<N: Network> Optimizer<N> for Sgd<N> {
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>) {
        self.steps += 1;
        let parameters = network.weights_mut().values_mut();
        self.options.update(self.steps, parameters, gradients.values(), &mut self.momentum);
    }

    fn lr(&self) -> f64 {
        self.options.lr
    }

    fn set_lr(&mut self, lr: f64) -> Result<(), Error> {
        let options = self.options.lr(lr);
        options.validate()?;
        self.options = options;
        Ok(())
    }
}

impl<N: Network> fmt::Debug for Sgd<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sgd<{}>({:?}, {} steps)", N::NAME, self.options, self.steps)
    }
}

/// Adam, or AdamW, with PyTorch's options: see [`AdamOptions`].
pub struct Adam<N> {
    options: AdamOptions,
    steps: u64,
    exp_avg: Buffer,
    exp_avg_sq: Buffer,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Adam<N> {
    /// For a network of type `N`, before its first step.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when one makes no sense.
    pub fn new(options: AdamOptions) -> Result<Self, Error> {
        options.validate()?;
        let [exp_avg, exp_avg_sq] = [(); 2].map(|()| Buffer::zeros(N::PARAMETERS));
        Ok(Self { options, steps: 0, exp_avg, exp_avg_sq, network: PhantomData })
    }

    /// For the network at another size: the state goes with it, and none of it is copied. See [`Resize`].
    pub fn resized<M: Resize<First = N::First>>(self) -> Adam<M>
    where
        N: Resize,
    {
        let Self { options, steps, exp_avg, exp_avg_sq, .. } = self;
        Adam { options, steps, exp_avg, exp_avg_sq, network: PhantomData }
    }
}

impl<N: Network> Optimizer<N> for Adam<N> {
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>) {
        self.steps += 1;
        let parameters = network.weights_mut().values_mut();
        let (exp_avg, exp_avg_sq) = (&mut self.exp_avg, &mut self.exp_avg_sq);
        self.options.update(self.steps, parameters, gradients.values(), exp_avg, exp_avg_sq);
    }

    fn lr(&self) -> f64 {
        self.options.lr
    }

    fn set_lr(&mut self, lr: f64) -> Result<(), Error> {
        let options = self.options.lr(lr);
        options.validate()?;
        self.options = options;
        Ok(())
    }
}

impl<N: Network> fmt::Debug for Adam<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Adam<{}>({:?}, {} steps)", N::NAME, self.options, self.steps)
    }
}

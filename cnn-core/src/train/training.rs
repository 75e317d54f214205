//! Gradients of a loss by all weights of a network.

use core::fmt;

use crate::Error;
use crate::kernel::buffer::Buffer;
use crate::kernel::chunk::in_pool;
use crate::kernel::scratch::Scratch;
use crate::layer::{Mode, Pass};
use crate::loss::Loss;
use crate::network::{Gradients, Network};
use crate::tensor::{Batch, Samples, SamplesMut};

/// A run of training steps on a network of type `N`: it keeps the maps, the gradients, and the count that random layers
/// draw by. After the first batch, and until a larger one, a step allocates nothing.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
/// }
///
/// let mut net = Classifier::new(0);
/// let mut training = Training::new(0);
/// let mut optimizer = Sgd::new(SgdOptions::new(0.1).momentum(0.9))?;
/// let images = Batch::from_nchw(&[0.5; 2 * 16])?;
/// let labels = Labels::new(&[0, 2])?;
///
/// let first = training.backward(Mode::Training, &net, &images, &CrossEntropy::new(&labels))?;
/// for _ in 0..10 {
///     training.backward(Mode::Training, &net, &images, &CrossEntropy::new(&labels))?;
///     optimizer.step(&mut net, training.gradients());
/// }
/// let last = training.backward(Mode::Training, &net, &images, &CrossEntropy::new(&labels))?;
/// assert!(last < first);
/// # Ok::<(), Error>(())
/// ```
pub struct Training<N: Network> {
    seed: u64,
    step: u64,
    values: Buffer,
    map_gradients: Buffer,
    output: Batch<N::Output>,
    grad_output: Batch<N::Output>,
    gradients: Gradients<N>,
    scratch: Scratch,
}

impl<N: Network> Training<N> {
    /// A run that has not begun. What random layers draw follows from the seed and the number of the step alone.
    pub fn new(seed: u64) -> Self {
        Self::resumed(seed, 0)
    }

    /// A run of which `step` steps are done: it draws what the undisturbed one would have.
    pub fn resumed(seed: u64, step: u64) -> Self {
        Self {
            seed,
            step,
            values: Buffer::zeros(0),
            map_gradients: Buffer::zeros(0),
            output: Batch::zeros(0),
            grad_output: Batch::zeros(0),
            gradients: Gradients::zeros(),
            scratch: Scratch::default(),
        }
    }

    /// The loss of a batch, and its gradient by every weight, which [`gradients`](Self::gradients) holds then. The mode
    /// says whether random layers draw; it is training's in all but special cases.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyBatch`]; what the loss says of its own data; [`Error::NonFiniteLoss`] with the number of the step.
    /// The gradients are then not those of this batch, and no step is counted.
    pub fn backward(
        &mut self,
        mode: Mode,
        network: &N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
    ) -> Result<f32, Error> {
        let samples = input.len();
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: <N::Input as crate::shape::Shape>::SIZES });
        }
        in_pool(|| self.backward_in_pool(mode, network, input, loss))
    }

    fn backward_in_pool(
        &mut self,
        mode: Mode,
        network: &N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
    ) -> Result<f32, Error> {
        let samples = input.len();
        self.prepare(samples);
        let (input, parameters) = (input.values(), network.weights().values());
        let mut pass = Pass::new(mode, self.seed, self.step, &mut self.scratch);
        let (values, output) = (&mut self.values, self.output.values_mut());
        N::forward_steps(&mut pass, samples, parameters, input, values, output);
        let grad_output = self.grad_output.values_mut();
        let loss = loss.evaluate(Samples::new(output), SamplesMut::new(grad_output))?;
        if !loss.is_finite() {
            return Err(Error::NonFiniteLoss { step: self.step, loss });
        }
        let (map_gradients, gradients) = (&mut self.map_gradients, self.gradients.values_mut());
        N::backward_steps(
            &mut pass,
            samples,
            parameters,
            input,
            values,
            output,
            grad_output,
            map_gradients,
            None,
            gradients,
        );
        self.step += 1;
        Ok(loss)
    }

    fn prepare(&mut self, samples: usize) {
        self.values.grow(samples * N::MEMORY.training);
        self.map_gradients.grow(samples * N::MEMORY.gradient);
        self.output.resize(samples);
        self.grad_output.resize(samples);
        self.scratch.prepare(N::NEEDS, rayon::current_num_threads());
    }

    /// The gradient of the last loss by every weight.
    pub fn gradients(&self) -> &Gradients<N> {
        &self.gradients
    }

    /// See [`gradients`](Self::gradients); to be clipped, or summed across machines.
    pub fn gradients_mut(&mut self) -> &mut Gradients<N> {
        &mut self.gradients
    }

    /// What the network made of the last batch.
    pub fn output(&self) -> &Batch<N::Output> {
        &self.output
    }

    /// How many gradients were taken.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl<N: Network> fmt::Debug for Training<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Training<{}>(seed {}, step {})", N::NAME, self.seed, self.step)
    }
}

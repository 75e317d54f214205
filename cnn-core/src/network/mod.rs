//! What `network!` makes: a type whose maps are types. Knows layers; knows nothing of files or of training loops.

#[doc(hidden)]
pub mod check;
mod cut;
mod frozen;
mod inference;
mod init;
mod maps;
mod memory;
mod names;
mod nested;
mod part;
mod ports;
mod predictor;
mod remembered;
mod resize;
mod summary;
mod tensors;
mod weights;

pub use crate::kernel::memory::scratch::Needs;
#[doc(hidden)]
pub use cut::{Cut, fetch};
pub(crate) use frozen::{is_within, no_part, trainable};
pub use inference::Inference;
pub use init::{Fan, Init, Nonlinearity};
pub use maps::{FeatureMap, feature_gradients, feature_maps};
pub use memory::Memory;
#[doc(hidden)]
pub use memory::{behind, counts, cut, kept, states};
#[doc(hidden)]
pub use ports::{Given, Port, gather, gather_values};
pub use ports::{Inputs, Outputs};
pub use predictor::Predictor;
pub use resize::Resize;
pub use summary::Summary;
#[cfg(feature = "report")]
pub(crate) use summary::grouped;
pub use tensors::TensorMut;
pub use weights::{Gradients, Tensor, Weights};
pub(crate) use weights::{Home, Place, places};

use crate::Error;
pub use crate::layer::Step;
pub use crate::layer::prepare::MadeFor;
#[doc(hidden)]
pub use crate::layer::prepare::Prepared;
use crate::layer::{GradInput, Owned, Parameter, Pass, step};
use crate::shape::{Shape, Sizes};
use crate::tensor::Batch;

/// A network that [`network!`](crate::network!) declared.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 28, 28> { flatten, fc: linear<10> }
/// }
///
/// // Its cost is known while the program compiles.
/// const _: () = assert!(Classifier::PARAMETERS == 7850 && Classifier::MULTIPLY_ADDS == 7840);
///
/// let net = Classifier::new(0);
/// let images = Batch::from_nchw(&[0.5; 2 * 28 * 28])?;
/// let scores: Batch<Flat<10>> = net.forward(&images);
/// assert_eq!(scores.len(), 2);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    note = "declare it with `network! {{ pub {Self}<C, H, W> {{ .. }} }}`, or, where it is a parameter of a function or a type, \
            bound it: `{Self}: Network`"
)]
pub trait Network: Sized + Send + Sync + 'static {
    /// The shape of a sample that it takes: of several inputs [`Inputs`].
    type Input: Shape;
    /// The shape that it makes of a sample: of several outputs [`Outputs`].
    type Output: Shape;
    /// The maps that it takes, if they are several.
    #[doc(hidden)]
    const INPUTS: &'static [Sizes] = &[];
    /// The maps that it makes, if they are several.
    #[doc(hidden)]
    const OUTPUTS: &'static [Sizes] = &[];
    /// Its name.
    const NAME: &'static str;
    /// Its steps in order.
    const STEPS: &'static [Step];
    /// Its maps' memory.
    const MEMORY: Memory;
    /// Trainable values.
    const PARAMETERS: usize = step::parameters(Self::STEPS);
    /// Multiply-adds of one sample's forward pass, in convolutions and linear layers.
    const MULTIPLY_ADDS: usize = step::multiply_adds(Self::STEPS);
    /// Bytes per sample that a training step works in: the maps and gradients alive at once.
    const WORKSPACE_BYTES: usize = 4_usize.saturating_mul(Self::MEMORY.training);
    /// Bytes per sample that evaluation keeps.
    const INFERENCE_BYTES: usize = 4_usize.saturating_mul(Self::MEMORY.evaluation);
    /// Where it can be cut in two.
    #[doc(hidden)]
    const CUTS: &'static [Cut] = &[];
    /// What a sample's forward pass costs, in about the time of a multiply-add.
    #[doc(hidden)]
    const COST: usize = step::cost(Self::STEPS);
    /// Whether nothing is wrong with a size or an option that only rustc knows.
    #[doc(hidden)]
    const SOUND: bool = true;
    /// Scratch memory of its loops, if it is sound.
    #[doc(hidden)]
    const STEP_NEEDS: Needs;
    /// Scratch memory of its loops.
    #[doc(hidden)]
    const NEEDS: Needs = check::needs::<Self>();
    /// What its predictor has, if it is sound.
    #[doc(hidden)]
    const STEP_PREPARED: Prepared;
    /// What its predictor has.
    #[doc(hidden)]
    const PREPARED: Prepared = check::prepared::<Self>();

    /// A network of these weights.
    fn from_weights(weights: Weights<Self>) -> Self;

    /// Its weights.
    fn weights(&self) -> &Weights<Self>;

    /// Its weights, to be changed.
    fn weights_mut(&mut self) -> &mut Weights<Self>;

    /// Every step in evaluation: input `[n, Input]`, workspace `[n * MEMORY.evaluation]` -> output `[n, Output]`.
    #[doc(hidden)]
    fn evaluate(pass: &mut Pass<'_>, samples: usize, owned: Owned<'_>, input: &[f32], output: &mut [f32]);

    /// Every step, keeping what [`backward_steps`](Self::backward_steps) takes: input `[n, Input]`, workspace
    /// `[n * MEMORY.training]` -> output `[n, Output]`.
    #[doc(hidden)]
    fn forward_steps(pass: &mut Pass<'_>, samples: usize, owned: Owned<'_>, input: &[f32], output: &mut [f32]);

    /// Every step backwards, after [`forward_steps`](Self::forward_steps) with the same that is owned: grad_output
    /// `[n, Output]` -> grad_parameters, and grad_input `[n, Input]` if it is wanted.
    #[doc(hidden)]
    fn backward_steps(
        pass: &mut Pass<'_>,
        samples: usize,
        owned: Owned<'_>,
        input: &[f32],
        output: &[f32],
        grad_output: &mut [f32],
        grad_input: Option<GradInput<'_>>,
        grad_parameters: &mut [f32],
    );

    /// Makes of parameters and state what [`predict_steps`](Self::predict_steps) reads: prepared `[PREPARED.values]`.
    #[doc(hidden)]
    fn prepare_steps(made_for: MadeFor, parameters: &[f32], state: &[f32], prepared: &mut [f32]);

    /// Every step in a predictor: input `[n, Input]`, workspace `[n * MEMORY.prediction]` -> output `[n, Output]`. What is
    /// prepared is in the place of the parameters, saved `[PREPARED.saved]` is memory to work in, and there is no state.
    #[doc(hidden)]
    fn predict_steps(pass: &mut Pass<'_>, samples: usize, owned: Owned<'_>, input: &[f32], output: &mut [f32]);

    /// A network with PyTorch's default initialisation, from a seed.
    fn new(seed: u64) -> Self {
        Self::from_weights(Weights::new(seed))
    }

    /// What it makes of a batch, in evaluation mode. [`Inference`] does the same without allocating; where the weights stay
    /// as they are, [`freeze`](Self::freeze) makes what is faster than both.
    fn forward(&self, input: &Batch<Self::Input>) -> Batch<Self::Output> {
        let mut output = Batch::zeros(0);
        Inference::new().run(self, input, &mut output);
        output
    }

    /// What does nothing but predict, with the weights as they are now: they are packed once, a batch normalization becomes
    /// part of the convolution before it (also before a `concat` or `add`), dropout is gone.
    ///
    /// The weights' product with the normalization is reckoned in f64 and rounded once; what the predictor makes is within
    /// 1e-5 of what [`forward`](Self::forward) makes, in terms of the largest value. Where a normalization has a factor of
    /// zero or its sum overflows, infinities and NaN may come out differently.
    ///
    /// ```
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// A small classifier.
    ///     pub Small<1, 28, 28> {
    ///         conv: conv2d<8, 3>(bias = false), batch_norm2d, relu, adaptive_avg_pool2d<1>, flatten, fc: linear<10>,
    ///     }
    /// }
    ///
    /// let mut predictor = Small::new(0).freeze();
    /// let class = predictor.predict(&Tensor::zeros()).argmax();
    ///
    /// let (images, mut scores) = (Batch::zeros(8), Batch::zeros(0));
    /// predictor.predict_batch(&images, &mut scores);
    /// assert_eq!(scores.argmax(), [class; 8]);
    /// ```
    fn freeze(&self) -> Predictor<Self> {
        self.freeze_for(MadeFor::default())
    }

    /// [`freeze`](Self::freeze), for one sample at a time or for many: a choice of speed. Either takes any batch, in which a
    /// sample has the same bits as alone.
    fn freeze_for(&self, made_for: MadeFor) -> Predictor<Self> {
        Predictor::new(self, made_for)
    }

    /// Freezes the weights of a part, by PyTorch's name: `"layer1"` or `"conv1.weight"`; `""` is all of it. No training step
    /// makes a gradient of them, no optimizer moves them, and neither weight decay nor momentum does. Normalizations and dropout
    /// of the part are still in training mode, as in PyTorch: [`Training::set_mode`](crate::train::Training::set_mode) is for that.
    ///
    /// Where all steps up to some part of the network are frozen, a training step runs them as it does in evaluation: their maps
    /// are not kept, and nothing goes back through them.
    ///
    /// ```
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// A classifier.
    ///     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, flatten, fc: linear<10> }
    /// }
    ///
    /// let mut net = Net::new(0);
    /// net.freeze_weights("conv1")?;
    /// net.freeze_weights_where(|name, parameter| !name.starts_with("fc."))?; // all but the head
    /// assert_eq!(net.weights().frozen_names().count(), 4);
    /// net.unfreeze_weights("bn1")?;
    ///
    /// let mut training = Training::<Net>::new(0);
    /// training.set_mode("bn1", Mode::Evaluation)?; // its statistics stay, too
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`] when no trainable tensor is of that name or in it.
    fn freeze_weights(&mut self, part: &str) -> Result<(), Error> {
        self.weights_mut().set_part_frozen(true, part)
    }

    /// [`freeze_weights`](Self::freeze_weights), of the tensors of which this says so.
    ///
    /// # Errors
    ///
    /// [`Error::NoParameters`] of none.
    fn freeze_weights_where(&mut self, is: impl FnMut(&str, &Parameter) -> bool) -> Result<(), Error> {
        self.weights_mut().set_frozen(true, is)
    }

    /// Lets a part be trained again that [`freeze_weights`](Self::freeze_weights) froze.
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`] when no trainable tensor is of that name or in it.
    fn unfreeze_weights(&mut self, part: &str) -> Result<(), Error> {
        self.weights_mut().set_part_frozen(false, part)
    }

    /// [`unfreeze_weights`](Self::unfreeze_weights), of the tensors of which this says so.
    ///
    /// # Errors
    ///
    /// [`Error::NoParameters`] of none.
    fn unfreeze_weights_where(&mut self, is: impl FnMut(&str, &Parameter) -> bool) -> Result<(), Error> {
        self.weights_mut().set_frozen(false, is)
    }

    /// Prints a table of the steps, and returns it.
    fn summary() -> Summary {
        let summary = Summary::of::<Self>();
        println!("{summary}");
        summary
    }
}

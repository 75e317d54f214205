//! Convolutional networks whose shapes are checked at compile time.
//!
//! A network is declared with [`network!`], whose layers have PyTorch's names and defaults; every feature map is then a
//! type, and a mismatch is an error of the compiler.
//!
//! | where to look | for |
//! |:--|:--|
//! | [`prelude`] | what a program usually needs |
//! | [`network!`] | the language: layers, options, names of weights, blocks, branches, heads |
//! | [`train`], [`loss`], [`optim`] | a training step; what it makes small; how |
//! | [`mod@network`] | what a declared network is: evaluation, predictors, weights by name, its cost as constants |
//! | [`io`] | weights in safetensors files and those of `torch.save`, with PyTorch's names and layouts |
//! | [`tensor`], [`shape`] | values with a shape in their type |
//! | [`data`], [`metric`] | data sets from files and memory, transforms, splits, loaders; accuracy and its like |
#![cfg_attr(
    feature = "report",
    doc = "| [`report`] | with the feature of that name: a run as a page, a network as a diagram, files for TensorBoard |"
)]
//! | [`layer`] | a layer of your own |
//! | [`recipes`] | short programs to copy: fine-tuning, groups, micro-batches, averages, resuming, a loop of your own, a GAN |
//! | [`error`](mod@error) | every way in which data can be wrong |
//!
//! # Instruction sets
//!
//! The best set of vector instructions that the processor has is found when the program runs; it need not be built for
//! this machine. The environment variable `CNN_ISA` (`avx512`, `avx2`, `neon` or `portable`) forces one.
//!
//! # Threads
//!
//! A pass through a network runs on the threads of a pool of rayon's: the pool that the caller is in, or else the global one,
//! which has a thread for each core, or as many as `RAYON_NUM_THREADS` says. A program chooses by `rayon` as it does for its own
//! loops:
//!
//! ```
//! use cnn_core::prelude::*;
//!
//! network! {
//!     /// A linear classifier.
//!     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
//! }
//!
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! let scores = pool.install(|| Classifier::new(0).forward(&Batch::zeros(8)));
//! assert!(scores == Classifier::new(0).forward(&Batch::zeros(8)));
//! # Ok::<(), rayon::ThreadPoolBuildError>(())
//! ```
//!
//! - It changes no bit of any result: work is cut by shapes and the batch, and sums have a fixed order.
//! - A pass that is too little to share, such as LeNet-5's on a few samples, is done on the thread that calls it and wakes no
//!   other. Others ask the idle threads of the pool once, and those stay with the pass until it ends, or until it has nothing
//!   for them for some 0.1 ms: what else the pool has to do waits so long. A program with work that may not wait gives it a pool
//!   of its own.
//! - More threads than free cores make it slower, and so do two pools at work at a time.
//! - [`Training`](train::Training), [`Inference`](network::Inference), predictors and optimizers allocate nothing after the first
//!   batch, **on a thread of the pool**: a call from another thread, such as `main`, is handed over to the pool by a queue if it is
//!   enough to share, for which rayon allocates a block of 1.5 KB at every 63rd call. (`backward`, `run` and `predict` are handed
//!   over once each, clipping and an optimizer's step only of more than 262,144 parameters.) To get rid of that and of the hand-over, run
//!   the whole loop in the pool, `rayon::scope(|_| train())` or `pool.install(train)`, or let `main` be one of its threads:
//!   `rayon::ThreadPoolBuilder::new().use_current_thread().build_global()` before anything else. (A thread of a pool takes some
//!   bytes once in its life, when it first looks for another's work.)
//!
//! # Numbers
//!
//! Values are `f32`. What is no number stays none: NaN and infinities go through layers and losses as in PyTorch, and a loss that
//! is not finite is [`Error::NonFiniteLoss`]. Subnormal numbers are kept exactly, which [costs time](optim#subnormal-numbers) on
//! many processors. An option or an argument that makes no sense is an error that names it; what is indexed (a [`Batch`], the
//! classes of a confusion matrix) panics as a slice does, and says so.
//!
//! [`Batch`]: tensor::Batch

pub mod data;
pub mod error;
#[cfg(feature = "fit")]
pub mod fit;
pub mod history;
pub mod io;
#[doc(hidden)]
pub mod kernel;
pub mod layer;
pub mod loss;
pub mod metric;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod network;
pub mod optim;
pub mod random;
pub mod recipes;
#[cfg(feature = "reference")]
pub mod reference;
#[cfg(feature = "report")]
pub mod report;
pub mod shape;
pub mod snapshot;
pub mod tensor;
pub mod train;

/// Declares networks, and checks every one of their shapes while the program compiles.
///
/// ```
/// use cnn_core::prelude::*;
///
/// const CLASSES: usize = 10;
///
/// network! {
///     /// Attributes and visibility are the type's.
///     #[derive(PartialEq)]
///     pub Small<1, 28, 28> {
///         stem: conv2d<8, 3>(padding = 1, bias = false),
///         relu,
///         body: repeat<2> [
///             [conv: conv2d<{ 2 * channels }, 3>(stride = 2, padding = 1), relu],
///         ]                               => <32, 7, 7>,
///         adaptive_avg_pool2d<1>,
///         flatten,
///         dropout(p = 0.2),
///         fc: linear<CLASSES>,
///     }
/// }
///
/// let names: Vec<_> = Small::new(0).weights().tensors().map(|tensor| tensor.name).collect();
/// assert_eq!(names[..3], ["stem.weight", "body.0.conv.weight", "body.0.conv.bias"]);
/// ```
///
/// A network has a name, the sizes of a sample (`<channels, height, width>`, `<channels, length>`, or `<features>`) and steps; of
/// [several inputs](#inputs-and-outputs) each has a name and sizes; `for [..]` says [several sizes](#sizes). It becomes a type
/// that implements [`Network`](network::Network), with a table of its steps in its documentation. One invocation may
/// declare several.
///
/// A step is `label: layer<sizes>(options) => <map> as wire`; all but the layer may be left out. In full:
///
/// ```text
/// declaration := (block | network) ..
/// network     := attributes visibility Name '<' (size, .. | name ':' '<' size, .. '>', ..) '>' [ 'for' '[' sizes, .. ']' ] body
/// block       := 'block' name [ '<' parameter, .. '>' ] body
/// body        := '{' step, .. '}'
/// step        := [ (label | '"' label '"' | '_') ':' ] layer [ '=>' '<' size, .. '>' ] [ 'as' wire ]
/// layer       := name [ '<' size, .. '>' ] [ '(' option '=' value, .. ')' ]      a layer, or a block
///              | wire                                                            its map in the place of the current one
///              | '[' step, .. ']' | 'repeat' '<' size '>' '[' step, .. ']'
///              | ('add' | 'multiply' | 'concat' | 'matmul') '{' step, .. '}'
///              | 'map' '(' '|' name, .. '|' expression ')'
///              | 'share' '<' label '>'
///              | 'outputs' '{' name ':' step, .. '}'                             the last step
///              | Type                                                            a network, or a layer of your own
/// size        := number | name | '{' expression '}' | '(' size, size ')'
/// ```
///
/// | layer | options and their defaults, PyTorch's |
/// |:--|:--|
/// | `conv2d<out_channels, kernel_size>` | `stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = zeros, algorithm = auto, strict` |
/// | `conv_transpose2d<out_channels, kernel_size>` | `stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1, bias = true` |
/// | `conv1d<out_channels, kernel_size>` | `stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = zeros, strict` |
/// | `conv_transpose1d<out_channels, kernel_size>` | `stride = 1, padding = 0, output_padding = 0, dilation = 1, groups = 1, bias = true` |
/// | `linear<out_features>` | `bias = true, over = all`, or `channels` |
/// | `max_pool2d<kernel_size>` | `stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false, strict` |
/// | `avg_pool2d<kernel_size>` | `stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true, divisor_override, strict` |
/// | `adaptive_avg_pool2d<output_size>`, `adaptive_max_pool2d<output_size>` | |
/// | `max_pool1d<kernel_size>` | `stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false, strict` |
/// | `avg_pool1d<kernel_size>` | `stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true, strict` |
/// | `adaptive_avg_pool1d<output_size>`, `adaptive_max_pool1d<output_size>` | |
/// | `batch_norm2d` | `eps = 0.00001, momentum = 0.1` or `none`, `affine = true, track_running_stats = true` |
/// | `batch_norm1d` | of flat features or a sequence; the same |
/// | `layer_norm` | `eps = 0.00001, elementwise_affine = true, bias = true, over = all`, or `channels` |
/// | `rms_norm` | `eps = 0.00000011920929` (PyTorch's `None`), `elementwise_affine = true, over = all`, or `channels` |
/// | `group_norm<num_groups>` | `eps = 0.00001, affine = true` |
/// | `instance_norm2d` | `eps = 0.00001, affine = false` |
/// | `local_response_norm<size>` | `alpha = 0.0001, beta = 0.75, k = 1.0` |
/// | `relu`, `relu6`, `sigmoid`, `tanh`, `hardsigmoid`, `hardswish`, `silu` | |
/// | `leaky_relu` | `negative_slope = 0.01` |
/// | `prelu` | `num_parameters = 1`, or `channels` |
/// | `gelu` | `approximate = none`, or `tanh` |
/// | `elu`, `celu` | `alpha = 1` |
/// | `selu`, `mish`, `softsign`, `logsigmoid`, `tanhshrink` | |
/// | `softplus` | `beta = 1, threshold = 20` |
/// | `hardtanh` | `min_val = -1, max_val = 1` |
/// | `threshold` | `threshold`, `value` |
/// | `map(\|x, y\| x * sigmoid(y))` | an [expression](#expressions) of values at the same place |
/// | `sum`, `mean`, `max`, `logsumexp`, `norm` | `over = all`, `channels` or `space`: many values become one |
/// | `layer_scale` | `init_value = 0.000001`: a factor for each channel |
/// | `parameter<channels, height, width>` | `init_value = 0`: a map that is learned, the same for each sample (`nn.Parameter`), whatever the step gets |
/// | `dropout`, `dropout2d` | `p = 0.5` |
/// | `drop_path` | `p`: whole samples of a branch are dropped (torchvision's `stochastic_depth`, `mode = "row"`) |
/// | `upsample` | `size` or `scale_factor`, which may have a fraction, `mode = nearest` or `bilinear`, `align_corners = false` |
/// | `zero_pad2d<padding>`, or `zero_pad2d(left = 1, bottom = 1)` | `left = 0, right = 0, top = 0, bottom = 0`, of which one is given, in the place of `<padding>` |
/// | `reflection_pad2d`, `replication_pad2d`, `circular_pad2d` | the same, of the map's own cells |
/// | `constant_pad2d<padding>` | the same, and `value` |
/// | `flatten` | |
/// | `softmax`, `log_softmax` | `over = channels`, or `width`: each row of each channel |
/// | `unflatten<channels, height, width>` | features in PyTorch's order become a map |
/// | `channel_slice<from, to>` | the channels, or features, from the first on and before the other |
/// | `crop<(top, bottom, left, right)>` | or a number, or `(vertical, horizontal)` |
/// | `channel_shuffle<groups>`, `pixel_shuffle<upscale_factor>`, `pixel_unshuffle<downscale_factor>` | |
/// | `transpose` | rows become columns |
/// | `reshape<channels, height, width>` | the values in PyTorch's order as another map |
/// | `permute<0, c, h, w>` | PyTorch's: dimension 0 is the batch, 1 channels, 2 height, 3 width |
/// | a type with a capital letter or a path (one that is called as a layer of PyTorch or Keras by its path, `self::ReLU`) | a [`Layer`](layer::Layer) of your own |
/// | `[step, ..]` | a sequence, used as one layer |
/// | `repeat<N> [step, ..]` | its steps written `N` times |
/// | `add { step, .. }` | the sum of what its branches make of the same map |
/// | `multiply { step, .. }` | their product; a map of one cell, as a gate makes it, meets every cell of the other |
/// | `matmul { step, step }` | the product of two maps, whose channels are matrices of height times width; `[x, transpose]` as a branch costs nothing |
/// | `concat { step, .. }` | their channels, or features, one after the other |
/// | `name<size, ..>` | the steps of a `block name<PARAM, ..> { step, .. }` of the same invocation |
///
/// - A size is a number, a name, or an expression in braces, where `channels`, `height` and `width` are those of the map
///   that the step gets. A kernel, stride, padding or dilation is `3` or `(vertical, horizontal)`. What the macro cannot
///   fold to a number rustc evaluates, and checks no less. An option with a fraction (`eps`, `p`, `scale_factor`, ..) is a
///   number, a constant of any type of numbers, or an expression in braces.
/// - A convolution with `padding_mode = reflect`, `replicate` or `circular` is two steps, as in PyTorch: what pads the map, and the
///   convolution without padding. What reflects wants a padding smaller than the map, what goes around one no larger.
/// - The padding of convolutions and of `zero_pad2d` and its like is a number, `(vertical, horizontal)`, or
///   `(top, bottom, left, right)`: one order in the whole language, vertical first. **`ZeroPad2d((a, b, c, d))` of PyTorch,
///   which is left, right, top, bottom, is `zero_pad2d<(c, d, a, b)>` here,** or, whatever the order,
///   `zero_pad2d(left = a, right = b, top = c, bottom = d)`. The padding of `conv2d` may be `same`, too,
///   which keeps the map's height and width.
/// - `layer_norm` and `rms_norm` are over all values of a sample, as PyTorch's are of a `normalized_shape` that is the whole map or
///   all features, with a weight for each value; `over = channels` is over the channels of each position, with a weight for each
///   channel (`LayerNorm2d` of torchvision's ConvNeXt).
/// - `algorithm = winograd` or `direct` chooses how a `conv2d` is computed; `auto` takes the faster of them. Winograd's is for
///   a 3x3 kernel with stride 1, dilation 1 and one group: a quarter of the multiplications, and up to three times the
///   rounding of PyTorch's own convolution.
/// - A sequence is a map of height 1, `<channels, length>` is `<channels, 1, length>`, and its length is its `width`:
///   `[n, c, l]` of PyTorch is the order of `Batch::<Chw<C, 1, L>>::from_nchw`. Layers whose names end with `1d` take sequences,
///   and weights in files that are PyTorch's: `[out, in, k]`. The padding of their convolutions is a number, `(before, behind)`,
///   or `same`.
/// - `linear` is of flat features; `linear<out_features>(over = channels)` is PyTorch's `Linear` over the last dimension of
///   `[n, h, w, c]`: of the channels of each position, as `conv2d<out_channels, 1>`, with a weight that is `[out, in]` in files.
/// - `=>` states the map that the step makes, for the reader; another one is an error.
/// - What PyTorch refuses is refused, and a little more: zeros as sizes and negative padding, `momentum` that is no share
///   of 1, negative `alpha`, `k` and divisors, infinite slopes, and `dropout2d`, `linear` and normalizations over a batch on
///   maps of another rank.
/// - A stride that does not divide is rounded down, as by PyTorch; with `strict` it is an error.
/// - Weights are named as in PyTorch's `state_dict`: a label is a name, and a step without one is its index in its sequence.
///   A label that is no name in Rust stands between quotation marks, `"block1-0": step`, and is `block1_0` where the program
///   says it. `repeat` writes its steps where it stands; with a label it is a sequence of that name. A branch without a label lends
///   its labels to the sequence around the join, as ResNet's blocks have them; steps without labels are counted within it:
///   `1.0.2` is step 2 of branch 0 of step 1. `_: step` lends all names of a sequence, a block or a network to the sequence
///   around it.
///   What a `layer_scale` or a `parameter` learns goes by the name of the step itself, as torchvision's ConvNeXt has it:
///   `layer_scale: layer_scale`.
/// - `share<label>` is an earlier step again, with the same weights and running statistics: they are there once, and their
///   gradients are added up. A label is seen behind its step, in the same body and in those within.
/// - A branch is any step, and `[]` is the map as it is.
///
/// # Expressions
///
/// `map(|x, y, ..| expression)` makes a value of values at the same place. The first argument is the map that the step gets,
/// under any name; the others are wires. The macro differentiates the expression, and writes it and its gradients as loops for
/// every instruction set; several in a row are one loop.
///
/// ```
/// use cnn_core::prelude::*;
///
/// const BETA: f32 = 1.5;
///
/// network! {
///     /// A squeeze-and-excitation gate, with functions of one's own.
///     pub Gated<3, 16, 16> {
///         conv2d<8, 3>, map(|x| x * sigmoid(BETA * x)) as x,
///         mean(over = space), conv2d<2, 1>, relu, conv2d<8, 1>, map(|g| clamp(g / 6 + 0.5, 0, 1)) as gate,
///         x, map(|x, gate| if x > 0 { x * gate } else { 0.1 * exp_m1(x) * gate }),
///     }
/// }
/// ```
///
/// - There are numbers, constants of the program (and, in braces, of any expression), a block's parameters, `channels`, `height`
///   and `width`; `+ - * /`; `if a < b && c != d { .. } else { .. }`; `{ let u = exp(x); u / (1 + u) }`; `x.exp()` is `exp(x)`.
/// - The functions are `exp`, `exp_m1`, `ln`, `ln_1p`, `sqrt`, `abs`, `sign`, `relu`, `tanh`, `sigmoid`, `softplus`, `erf`,
///   `min(a, b)`, `max(a, b)`, `clamp(x, least, most)` and `pow(x, number)`: right within two units in the last place of an
///   `f32`, `sigmoid` within two and a half; a power within as many as its whole exponent, or `2 + 2 |exponent ln x|`. A division
///   by a constant is a product with its inverse.
/// - Maps are alike, or one has a single cell (as a gate), a single channel (as a mask), or a single value: it meets all, and its
///   gradient is a sum.
/// - At kinks gradients are PyTorch's: none at zero of `abs` and `relu`, half for each of two equal values of `max` and `min`
///   (as `torch.maximum`), none at the bounds of `clamp`. What an `if` does not choose has no part in the gradient, whatever it is.
///
/// # Matrices of maps
///
/// `matmul { a, b }` is `torch.matmul`: each channel of a map is a matrix of height times width. `reshape` and `permute` make
/// them; a `transpose` that only a product reads moves nothing, as the product walks columns in the place of rows.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// Each of 49 places looks at all others, in four ways.
///     block attention<HEADS> {
///         layer_norm(over = channels) as x,
///         q: linear<channels>(over = channels), reshape<HEADS, { channels / HEADS }, width>, transpose as q,
///         x, k: linear<channels>(over = channels), reshape<HEADS, { channels / HEADS }, width> as k,
///         x, v: linear<channels>(over = channels), reshape<HEADS, { channels / HEADS }, width> as v,
///         matmul { q, k }, map(|scores| scores / 4), softmax(over = width), transpose as weights,
///         matmul { v, weights }, reshape<{ channels * height }, 1, width>, out: linear<channels>(over = channels),
///     }
///
///     pub Transformer<1, 28, 28> {
///         patches: conv2d<64, 4>(stride = 4), reshape<64, 1, 49> as patches,
///         places: parameter<64, 1, 49> as places, patches, map(|patch, places| patch + places),
///         add { [a: attention<4>], [] }, add { [b: attention<4>], [] },
///         mean(over = space), flatten, head: linear<10>,
///     }
/// }
///
/// let names: Vec<_> = Transformer::new(0).weights().tensors().map(|tensor| tensor.name).collect();
/// assert_eq!(names[2..5], ["places", "a.0.weight", "a.0.bias"]);
/// ```
///
/// # Losses
///
/// A network without weights that makes one number of several inputs is a loss of the first: `Net::loss(&others)`, see
/// [`DeclaredLoss`](train::DeclaredLoss). A network with weights may end in its own loss, [`OwnLoss`](loss::OwnLoss).
///
/// # Inputs and outputs
///
/// A network may take several maps, which are wires, and make several, each of its own shape. The first input is what the first
/// step gets.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::network::Outputs;
///
/// network! {
///     block tower<C> { conv2d<C, 3>(padding = 1), relu, max_pool2d<2> }
///
///     /// Two pictures through the same weights, and a number beside each of them.
///     pub Pair<left: <1, 8, 8>, right: <1, 8, 8>, ages: <2>> {
///         left, tower: [tower<8>, tower<16>, flatten, fc: linear<32>] as a,
///         right, share<tower> as b,
///         concat { a, b, ages }, relu,
///         outputs { same: linear<1>, older: [hidden: linear<8>, relu, linear<2>], left: a },
///     }
/// }
///
/// let (left, right, ages) = (Batch::zeros(4), Batch::zeros(4), Batch::zeros(4));
/// let pairs = PairInputs { left: &left, right: &right, ages: &ages }.batch()?;
/// let output: Batch<Outputs<Pair>> = Pair::new(0).forward(&pairs);
/// let PairOutputs { same, older, .. } = Pair::outputs(output.samples());
/// let (same, classes): (Batch<Flat<1>>, Vec<usize>) = (same.to_batch(), older.argmax());
/// # Ok::<(), Error>(())
/// ```
///
/// - `PairInputs` has a field for each input, `Pair::inputs` takes them in order; either makes the batch that
///   [`forward`](network::Network::forward), [`Training`](train::Training) and predictors take, of type
///   [`Inputs`](network::Inputs). Batches that are not equally long are an error.
/// - `outputs { name: step, .. }` is the last step. Each output gets the map before it, as a branch does, or begins with a wire;
///   an output's name is no name of weights. `Pair::outputs` makes views of them, [`Part`](tensor::Part)s, and `PairLosses`
///   holds a loss for each: as a loss of the network it is their sum.
///
/// # Sizes
///
/// `for [..]` behind the sizes of the input declares one network for several of them. Names in the sizes are what varies: the
/// list says what they stand for, in the order in which they are there first, and in the steps they are numbers.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A probability of each class for every 12 x 12 window of a picture.
///     pub PNet<3, H, W> for [(12, 12), (24, 24), (48, 64)] {
///         conv1: conv2d<10, 3>, relu, max_pool2d<2>, conv2: conv2d<16, 3>, relu, conv3: conv2d<32, 3>, relu,
///         outputs { probability: [conv4: conv2d<2, 1>, softmax], boxes: [conv5: conv2d<4, 1>] },
///     }
/// }
///
/// /// What is written once for all sizes.
/// fn surest<const H: usize, const W: usize>(net: &PNet<12, 12>) -> f32
/// where
///     PNet<H, W>: PNetSize,
/// {
///     let output = net.at::<H, W>().forward(&Batch::zeros(1));
///     let PNetOutputs { probability, .. } = PNet::<H, W>::outputs(output.samples());
///     probability.rows().map(|scores| scores[1]).fold(0.0, f32::max)
/// }
///
/// let net = PNet::<12, 12>::new(0);
/// let [small, large] = [surest::<24, 24>(&net), surest::<48, 64>(&net)];
///
/// // The same weights, in the same memory.
/// let at_another_size: PNet<48, 64> = net.at();
/// assert_eq!(at_another_size.weights().values().as_ptr(), net.weights().values().as_ptr());
/// ```
///
/// - `PNet<12, 12>` is a [`Network`](network::Network) as any other, with maps, memory, loops and a predictor of its own; of
///   `<1, S, S> for [8, 16]` the types are `Net<8>` and `Net<16>`. A constant of the program stands in braces, `<{ CHANNELS }, S, S>`.
/// - All sizes have the same weights, by the same names: `net.at::<24, 24>()` is the network at another size, and
///   `net.resize::<24, 24>()` makes it that. Neither copies a weight. (Whichever of two networks is changed while both are there gets
///   its own copy first.) What one size saves another loads. Sizes whose weights differ are an error that names the step.
/// - A size that the list does not have is an error that says those that it has. `PNetSize` is the trait of those, for functions
///   that are generic over the numbers; [`Resize`](network::Resize) is for those that are generic over networks.
/// - Optimizers go along with `resized()`, with their state; [`Training`](train::Training) is made for each size.
///
/// # Heads
///
/// The labelled branches of a last `concat` are the network's heads. They can be had from its output by name: `Net::heads`
/// makes a `NetHeads` of it, whose fields are typed views, [`Part`](tensor::Part)s of the output that are not copied.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     block cell<C> { conv2d<C, 3>(padding = 1), relu }
///
///     /// Two boxes and two scores at each of 7 x 7 places.
///     pub Detector<3, 28, 28> {
///         stem: [cell<8>, max_pool2d<2>, cell<16>, max_pool2d<2>],
///         concat {
///             boxes: conv2d<8, 1>,
///             scores: [cell<16>, conv2d<2, 1>, sigmoid],
///         },
///     }
/// }
///
/// let output: Batch<Chw<10, 7, 7>> = Detector::new(0).forward(&Batch::zeros(4));
/// let DetectorHeads { boxes, scores } = Detector::heads(output.samples());
/// for (boxes, scores) in boxes.iter().zip(scores.iter()) {
///     let (height, of_first_box) = (boxes[[3, 6, 6]], scores[[0, 6, 6]]);
/// }
/// let boxes: Batch<Chw<8, 7, 7>> = boxes.to_batch();
/// ```
///
/// A loss of your own gets [`Samples`](tensor::Samples) of the output too, so that it can tell its heads apart by name.
pub use cnn_macros::network;
pub use error::Error;

/// What a program usually needs.
pub mod prelude {
    pub use crate::Error;
    pub use crate::io::Checkpoint;
    pub use crate::layer::{Layer, Mode};
    pub use crate::loss::{CrossEntropy, Labels, Loss, MeanSquaredError, NegativeLogLikelihood};
    pub use crate::network;
    pub use crate::network::{Inference, Network};
    pub use crate::optim::{AdamOptions, SgdOptions};
    pub use crate::shape::{Chw, Flat, Probabilities};
    pub use crate::tensor::{Batch, Tensor};
    pub use crate::train::{Adam, Optimizer, Sgd, Training};
}

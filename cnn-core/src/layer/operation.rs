//! Every layer as plain data: what a table, a reader of weights, or the reference needs to know of it.

use super::{
    Order, Parameter, Step, batch_norm2d, conv_transpose2d, conv2d, group_norm, layer_scale, learned, linear, map,
    prelu, step,
};
use crate::kernel;
use crate::kernel::geometry::{
    Activation, AdaptivePool2dGeometry, BatchNorm2dGeometry, Conv2dGeometry, ConvTranspose2dGeometry,
    GroupNormGeometry, LinearGeometry, LocalResponseNormGeometry, MatmulGeometry, Pad2dGeometry, Pool2dGeometry,
    RearrangementGeometry, ReductionGeometry, Upsample2dGeometry,
};
use crate::kernel::memory::scratch::Needs;

/// What a step of a network does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// `conv2d`, `conv1d`, `linear(over = channels)`
    Conv2d {
        /// Its numbers.
        geometry: Conv2dGeometry,
        /// Whether a bias is added.
        bias: bool,
        /// How many sizes its weight has in files: 4, 3 of `conv1d`, or 2 of a linear layer.
        rank: usize,
    },
    /// `conv_transpose2d`, `conv_transpose1d`
    ConvTranspose2d {
        /// Its numbers.
        geometry: ConvTranspose2dGeometry,
        /// Whether a bias is added.
        bias: bool,
        /// How many sizes its weight has in files: 4, or 3 of `conv_transpose1d`.
        rank: usize,
    },
    /// `linear`
    Linear {
        /// Its numbers.
        geometry: LinearGeometry,
        /// Whether a bias is added.
        bias: bool,
        /// Channels of the map that was flattened into its input; all features if none was.
        channels: usize,
    },
    /// `max_pool2d`, `max_pool1d`
    MaxPool2d(Pool2dGeometry),
    /// `avg_pool2d`, `avg_pool1d`
    AvgPool2d(Pool2dGeometry),
    /// `adaptive_avg_pool2d`, `adaptive_avg_pool1d`
    AdaptiveAvgPool2d(AdaptivePool2dGeometry),
    /// `batch_norm2d`, `batch_norm1d`
    BatchNorm2d {
        /// Its numbers.
        geometry: BatchNorm2dGeometry,
        /// Whether it has weight and bias.
        affine: bool,
        /// Whether it has running statistics.
        track_running_stats: bool,
    },
    /// `group_norm`, `layer_norm`, `instance_norm2d`, `rms_norm`
    GroupNorm {
        /// Its numbers.
        geometry: GroupNormGeometry,
        /// Whether it has a weight.
        weight: bool,
        /// Whether it has a bias, too.
        bias: bool,
    },
    /// `local_response_norm`
    LocalResponseNorm(LocalResponseNormGeometry),
    /// `relu` and what is like it.
    Activation(Activation),
    /// `prelu`
    Prelu {
        /// Channels of the map, or features.
        channels: usize,
        /// Slopes that are learned: one for each channel, or one.
        num_parameters: usize,
    },
    /// `layer_scale`
    LayerScale {
        /// Channels of the map, or features.
        channels: usize,
        /// Whether it is a map with height and width.
        spatial: bool,
        /// What the factors start as.
        init_value: f32,
    },
    /// `adaptive_max_pool2d`, `adaptive_max_pool1d`
    AdaptiveMaxPool2d(AdaptivePool2dGeometry),
    /// `upsample`
    Upsample(Upsample2dGeometry),
    /// `zero_pad2d`, `constant_pad2d`, `reflection_pad2d`, `replication_pad2d`, `circular_pad2d`
    Pad2d(Pad2dGeometry),
    /// `flatten`
    Flatten,
    /// `dropout`
    Dropout {
        /// The probability that a value is dropped.
        p: f32,
    },
    /// `dropout2d`
    Dropout2d {
        /// The probability that a channel is dropped.
        p: f32,
    },
    /// `drop_path`
    DropPath {
        /// The probability that a sample is dropped.
        p: f32,
    },
    /// `softmax`
    Softmax,
    /// `softmax(over = width)`, `log_softmax(over = width)`
    SoftmaxOverWidth {
        /// Whether it is the logarithm.
        logarithm: bool,
    },
    /// `log_softmax`
    LogSoftmax,
    /// `unflatten`, `channel_slice`, `crop`, `channel_shuffle`, `pixel_shuffle`, `pixel_unshuffle`, `transpose`, `reshape`, `permute`
    Rearrange(RearrangementGeometry),
    /// `sum`, `mean`, `max`, `logsumexp`, `norm`
    Reduce(ReductionGeometry),
    /// `parameter`
    Learned {
        /// Channels, height and width.
        sizes: [usize; 3],
        /// What its values start as.
        init_value: f32,
    },
    /// `map(|x, y| ..)`
    Map(map::Written),
    /// `add`
    Add,
    /// `multiply`
    Multiply,
    /// `matmul`
    Matmul(MatmulGeometry),
    /// `concat`
    Concat,
    /// One of several inputs of a network: as many of the values of each sample as its map has.
    Input {
        /// The first of them.
        first: usize,
    },
    /// The several outputs of a network: in each sample the branches' maps one behind the other.
    Outputs,
    /// A type that implements [`Layer`](super::Layer).
    Custom {
        /// Its trainable tensors.
        parameters: &'static [Parameter],
        /// Its tensors that are not trained.
        state: &'static [Parameter],
        /// Values per batch that it keeps for the backward pass.
        saved: usize,
    },
    /// A network as a step of another.
    Network(&'static [Step]),
}

impl Operation {
    /// The trainable tensors of its own, in the order in which they are kept; a network's are those of its steps.
    pub const fn parameters(&self) -> Tensors {
        match self {
            Self::Conv2d { geometry, bias, rank } => {
                Tensors::weight_and_bias(conv2d::parameters(geometry, *rank), *bias)
            }
            Self::ConvTranspose2d { geometry, bias, rank } => {
                Tensors::weight_and_bias(conv_transpose2d::parameters(geometry, *rank), *bias)
            }
            Self::Prelu { num_parameters, .. } => Tensors::One(prelu::parameters(*num_parameters)),
            Self::Learned { sizes, init_value } => Tensors::One(learned::parameters(*sizes, *init_value)),
            Self::LayerScale { channels, spatial, init_value } => {
                Tensors::One(layer_scale::parameters(*channels, *spatial, *init_value))
            }
            Self::Linear { geometry, bias, channels } => {
                Tensors::weight_and_bias(linear::parameters(geometry, *channels), *bias)
            }
            Self::BatchNorm2d { geometry, affine: true, .. } => Tensors::Two(batch_norm2d::parameters(geometry)),
            Self::GroupNorm { geometry, weight: true, bias } => {
                Tensors::weight_and_bias(group_norm::parameters(geometry), *bias)
            }
            Self::Custom { parameters, .. } => Tensors::Static(parameters),
            _ => Tensors::Static(&[]),
        }
    }

    /// Its own tensors that are kept and not trained, such as running statistics, in the order in which they are kept.
    pub const fn state(&self) -> Tensors {
        match self {
            Self::BatchNorm2d { geometry, track_running_stats: true, .. } => {
                Tensors::Three(batch_norm2d::state(geometry))
            }
            Self::Custom { state, .. } => Tensors::Static(state),
            _ => Tensors::Static(&[]),
        }
    }

    /// Trainable values.
    pub const fn parameter_count(&self) -> usize {
        match self {
            Self::Network(steps) => step::parameters(steps),
            _ => self.parameters().values(),
        }
    }

    /// Numbers that are kept and not trained.
    pub const fn state_count(&self) -> usize {
        match self {
            Self::Network(steps) => step::state(steps),
            _ => self.state().values(),
        }
    }

    /// Counts that are kept, such as `num_batches_tracked`.
    pub const fn counts(&self) -> usize {
        match self {
            Self::Network(steps) => step::counts(steps),
            _ => self.state().counts(),
        }
    }

    /// Values per batch that the forward pass keeps for the backward pass.
    pub const fn saved(&self) -> usize {
        match self {
            Self::BatchNorm2d { geometry, .. } => geometry.channels.saturating_mul(2),
            Self::Custom { saved, .. } => *saved,
            Self::Network(steps) => step::saved(steps),
            _ => 0,
        }
    }

    /// Multiply-adds of one sample's forward pass, in convolutions, linear layers and products of maps.
    pub const fn multiply_adds(&self) -> usize {
        match self {
            Self::Conv2d { geometry, .. } => geometry.multiply_adds(),
            Self::ConvTranspose2d { geometry, .. } => geometry.multiply_adds(),
            Self::Linear { geometry, .. } => geometry.in_features.saturating_mul(geometry.out_features),
            Self::Matmul(geometry) => geometry.multiply_adds(),
            Self::Network(steps) => step::multiply_adds(steps),
            _ => 0,
        }
    }

    /// The scratch memory that its loops take; a network's and a user's layer's are constants of their types.
    pub const fn needs(&self) -> Needs {
        match self {
            Self::Conv2d { geometry, .. } => geometry.needs(),
            Self::ConvTranspose2d { geometry, .. } => geometry.needs(),
            Self::Linear { geometry, .. } => geometry.needs(),
            Self::BatchNorm2d { geometry, .. } => geometry.needs(),
            Self::GroupNorm { geometry, .. } => geometry.needs(),
            Self::LocalResponseNorm(geometry) => geometry.needs(),
            Self::Prelu { channels, .. } => kernel::pointwise::prelu::needs(*channels),
            Self::Matmul(geometry) => geometry.needs(),
            Self::LayerScale { channels, .. } => kernel::pointwise::scale::needs(*channels),
            _ => Needs::NONE,
        }
    }
}

/// Tensors of an [`Operation`].
#[derive(Clone, Copy, Debug)]
pub enum Tensors {
    /// One.
    One([Parameter; 1]),
    /// Two.
    Two([Parameter; 2]),
    /// Three.
    Three([Parameter; 3]),
    /// Any number, of which somebody keeps a list.
    Static(&'static [Parameter]),
}

impl Tensors {
    const fn weight_and_bias(parameters: [Parameter; 2], bias: bool) -> Self {
        if bias { Self::Two(parameters) } else { Self::One([parameters[0]]) }
    }

    /// Them in the order in which they are kept.
    pub const fn as_slice(&self) -> &[Parameter] {
        match self {
            Self::One(tensors) => tensors,
            Self::Two(tensors) => tensors,
            Self::Three(tensors) => tensors,
            Self::Static(tensors) => tensors,
        }
    }

    /// Numbers of all that are no counts.
    const fn values(&self) -> usize {
        let (tensors, mut values, mut index) = (self.as_slice(), 0_usize, 0);
        while index < tensors.len() {
            if !matches!(tensors[index].order, Order::Count) {
                values = values.saturating_add(tensors[index].len());
            }
            index += 1;
        }
        values
    }

    /// How many are counts.
    const fn counts(&self) -> usize {
        let (tensors, mut counts, mut index) = (self.as_slice(), 0, 0);
        while index < tensors.len() {
            if matches!(tensors[index].order, Order::Count) {
                counts += 1;
            }
            index += 1;
        }
        counts
    }
}

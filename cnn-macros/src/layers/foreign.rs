//! Names that other libraries have for layers, and what they are here.

/// A layer of another library.
pub(crate) struct Foreign {
    /// Its spellings.
    pub(crate) names: &'static [&'static str],
    /// Whose it is.
    pub(crate) library: &'static str,
    /// What its arguments are called here, in their order there; behind `=` what needs not be said here.
    pub(crate) positions: &'static [&'static str],
    pub(crate) here: Here,
    /// Whether the word alone is it, and no type of the user's.
    pub(crate) alone: bool,
}

/// What another library's layer is here.
#[derive(Clone, Copy)]
pub(crate) enum Here {
    /// A row of the table.
    Layer(&'static str),
    /// These steps, with arguments in braces, or what stands behind `|` in their place.
    Steps(&'static str),
    /// No layer: what to do.
    No(&'static str),
}

use Here::{Layer, No, Steps};

const KERAS: &str = "Keras";
const TORCH: &str = "PyTorch";
const BOTH: &str = "PyTorch's and Keras";

const fn layer(
    names: &'static [&'static str],
    library: &'static str,
    row: &'static str,
    positions: &'static [&'static str],
) -> Foreign {
    Foreign { names, library, positions, here: Layer(row), alone: true }
}

const fn steps(
    names: &'static [&'static str],
    library: &'static str,
    text: &'static str,
    positions: &'static [&'static str],
) -> Foreign {
    Foreign { names, library, positions, here: Steps(text), alone: true }
}

const fn no(names: &'static [&'static str], library: &'static str, text: &'static str) -> Foreign {
    Foreign { names, library, positions: &[], here: No(text), alone: true }
}

/// A name that a type of the user's may well have: it is another library's only with arguments.
const fn with_arguments(foreign: Foreign) -> Foreign {
    Foreign { alone: false, ..foreign }
}

const CONV: &[&str] =
    &["=input channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"];
const CONV_TRANSPOSE: &[&str] =
    &["=input channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias"];
const POOL: &[&str] = &["kernel_size", "stride", "padding"];
const FILTERS: &[&str] = &["out_channels", "kernel_size", "stride", "padding"];

/// Those of PyTorch and Keras that people write first.
pub(crate) static FOREIGN: &[Foreign] = &[
    layer(&["Conv2d"], TORCH, "conv2d", CONV),
    layer(&["LazyConv2d"], TORCH, "conv2d", FILTERS),
    layer(&["Conv2D", "Convolution2D"], KERAS, "conv2d", FILTERS),
    layer(&["ConvTranspose2d"], TORCH, "conv_transpose2d", CONV_TRANSPOSE),
    layer(&["Conv2DTranspose", "Convolution2DTranspose"], KERAS, "conv_transpose2d", FILTERS),
    steps(
        &["DepthwiseConv2D", "DepthwiseConv2d"],
        KERAS,
        "conv2d<channels, {kernel_size|3}>(groups = channels)",
        &["kernel_size"],
    ),
    steps(
        &["SeparableConv2D", "SeparableConv2d"],
        KERAS,
        "conv2d<channels, {kernel_size|3}>(groups = channels), conv2d<{out_channels|16}, 1>",
        FILTERS,
    ),
    steps(
        &["Conv1d"],
        TORCH,
        "conv2d<{out_channels|16}, (1, {kernel_size|3})>` on a map of height 1: `Net<1, 1, 128>",
        CONV,
    ),
    steps(
        &["Conv1D"],
        KERAS,
        "conv2d<{out_channels|16}, (1, {kernel_size|3})>` on a map of height 1: `Net<1, 1, 128>",
        FILTERS,
    ),
    steps(
        &["MaxPool1d", "MaxPooling1D"],
        BOTH,
        "max_pool2d<(1, {kernel_size|2})>` on a map of height 1: `Net<1, 1, 128>",
        POOL,
    ),
    steps(
        &["AvgPool1d", "AveragePooling1D"],
        BOTH,
        "avg_pool2d<(1, {kernel_size|2})>` on a map of height 1: `Net<1, 1, 128>",
        POOL,
    ),
    layer(&["MaxPool2d"], TORCH, "max_pool2d", &["kernel_size", "stride", "padding", "dilation"]),
    layer(&["MaxPooling2D", "MaxPool2D"], KERAS, "max_pool2d", POOL),
    layer(&["AvgPool2d"], TORCH, "avg_pool2d", POOL),
    layer(&["AveragePooling2D", "AvgPool2D"], KERAS, "avg_pool2d", POOL),
    layer(&["AdaptiveAvgPool2d"], TORCH, "adaptive_avg_pool2d", &["output_size"]),
    layer(&["AdaptiveMaxPool2d"], TORCH, "adaptive_max_pool2d", &["output_size"]),
    steps(
        &["GlobalAveragePooling2D", "GlobalAvgPool2D", "GlobalAvgPool2d", "GlobalAvgPool"],
        KERAS,
        "adaptive_avg_pool2d<1>, flatten",
        &[],
    ),
    steps(
        &["GlobalMaxPooling2D", "GlobalMaxPool2D", "GlobalMaxPool2d", "GlobalMaxPool"],
        KERAS,
        "adaptive_max_pool2d<1>, flatten",
        &[],
    ),
    layer(&["BatchNorm2d"], TORCH, "batch_norm2d", &["=channels", "eps", "momentum", "affine", "track_running_stats"]),
    layer(&["BatchNormalization", "BatchNorm"], KERAS, "batch_norm2d", &["=axis"]),
    layer(&["BatchNorm1d"], TORCH, "batch_norm1d", &["=features", "eps", "momentum", "affine", "track_running_stats"]),
    layer(&["LayerNorm"], TORCH, "layer_norm", &["=normalized_shape", "eps"]),
    layer(&["LayerNormalization"], KERAS, "layer_norm", &["=axis"]),
    layer(&["GroupNorm"], TORCH, "group_norm", &["num_groups", "=channels", "eps", "affine"]),
    layer(&["GroupNormalization"], KERAS, "group_norm", &["num_groups"]),
    layer(&["InstanceNorm2d"], TORCH, "instance_norm2d", &["=channels", "eps"]),
    layer(&["RMSNorm"], TORCH, "rms_norm", &["=normalized_shape", "eps"]),
    layer(&["PixelShuffle"], TORCH, "pixel_shuffle", &["upscale_factor"]),
    layer(&["PixelUnshuffle"], TORCH, "pixel_unshuffle", &["downscale_factor"]),
    layer(&["ChannelShuffle"], TORCH, "channel_shuffle", &["groups"]),
    layer(&["LocalResponseNorm"], TORCH, "local_response_norm", &["size", "alpha", "beta", "k"]),
    layer(&["Linear"], TORCH, "linear", &["=input features", "out_features", "bias"]),
    layer(&["LazyLinear"], TORCH, "linear", &["out_features", "bias"]),
    layer(&["Dense"], KERAS, "linear", &["out_features", "activation"]),
    layer(&["Flatten"], BOTH, "flatten", &[]),
    layer(&["Dropout"], BOTH, "dropout", &["p"]),
    layer(&["Dropout2d"], TORCH, "dropout2d", &["p"]),
    layer(&["SpatialDropout2D"], KERAS, "dropout2d", &["p"]),
    layer(&["StochasticDepth"], "torchvision", "drop_path", &["p", "=mode"]),
    layer(&["DropPath"], "timm", "drop_path", &["p"]),
    with_arguments(layer(&["LayerScale"], "timm", "layer_scale", &["=channels", "init_value"])),
    layer(&["ReLU"], BOTH, "relu", &[]),
    layer(&["ReLU6"], TORCH, "relu6", &[]),
    layer(&["LeakyReLU"], BOTH, "leaky_relu", &["negative_slope"]),
    layer(&["PReLU"], BOTH, "prelu", &["num_parameters"]),
    layer(&["Sigmoid"], TORCH, "sigmoid", &[]),
    layer(&["Tanh"], TORCH, "tanh", &[]),
    layer(&["Hardsigmoid", "HardSigmoid"], TORCH, "hardsigmoid", &[]),
    layer(&["Hardswish", "HardSwish"], TORCH, "hardswish", &[]),
    layer(&["SiLU"], TORCH, "silu", &[]),
    with_arguments(layer(&["Swish"], KERAS, "silu", &[])),
    layer(&["GELU"], TORCH, "gelu", &[]),
    layer(&["Softmax"], BOTH, "softmax", &["=axis"]),
    layer(&["LogSoftmax"], TORCH, "log_softmax", &["=axis"]),
    layer(&["ELU"], BOTH, "elu", &["alpha"]),
    layer(&["CELU"], TORCH, "celu", &["alpha"]),
    layer(&["SELU"], TORCH, "selu", &[]),
    layer(&["Mish"], TORCH, "mish", &[]),
    layer(&["Softplus"], TORCH, "softplus", &["beta", "threshold"]),
    layer(&["Softsign"], TORCH, "softsign", &[]),
    layer(&["Hardtanh"], TORCH, "hardtanh", &["min_val", "max_val"]),
    with_arguments(layer(&["Threshold"], TORCH, "threshold", &["threshold", "value"])),
    layer(&["LogSigmoid"], TORCH, "logsigmoid", &[]),
    with_arguments(layer(&["Upsample"], TORCH, "upsample", &["size", "scale_factor", "mode", "align_corners"])),
    layer(&["UpSampling2D"], KERAS, "upsample", &["scale_factor"]),
    layer(&["UpsamplingNearest2d"], TORCH, "upsample", &["size", "scale_factor"]),
    layer(&["ZeroPad2d"], TORCH, "zero_pad2d", &["padding"]),
    layer(&["ZeroPadding2D"], KERAS, "zero_pad2d", &["padding"]),
    no(&["Sequential"], BOTH, "steps stand between `[` and `]`, without a word before them: `[conv2d<8, 3>, relu]`"),
    no(&["ModuleList"], TORCH, "steps stand between `[` and `]`: `[conv2d<8, 3>, relu]`"),
    with_arguments(no(&["Concatenate"], KERAS, "`concat { [ .. ], [ .. ] }`, whose branches get the same map")),
    with_arguments(no(&["Add"], KERAS, "`add { [ .. ], [] }`, whose branches get the same map; `[]` is that map")),
    with_arguments(no(&["Multiply"], KERAS, "`multiply { [ .. ], [] }`, whose branches get the same map")),
    with_arguments(no(&["Identity"], TORCH, "leave it out, or `[]`, which is the map as it is")),
    with_arguments(no(
        &["Input", "InputLayer"],
        KERAS,
        "the input's sizes stand behind the name of the network: `Net<channels, height, width> { .. }`",
    )),
    with_arguments(steps(&["Activation"], KERAS, "{activation|relu}", &["activation"])),
    with_arguments(steps(&["Unflatten", "Reshape"], BOTH, "unflatten<{map|C, H, W}>", &[])),
    with_arguments(no(
        &[
            "Conv3d",
            "Conv3D",
            "LSTM",
            "GRU",
            "RNN",
            "Embedding",
            "MultiheadAttention",
            "MultiHeadAttention",
            "Transformer",
        ],
        BOTH,
        "a layer of your own is a type that implements `cnn_core::layer::Layer`, and stands alone: `MyLayer`",
    )),
    no(
        &["CrossEntropyLoss"],
        TORCH,
        "end in `linear`, without `softmax`; a training step takes the loss: `CrossEntropy::new(&labels)`",
    ),
    no(&["NLLLoss"], TORCH, "a training step takes the loss: `CrossEntropy::new(&labels)` of a last `linear`"),
    no(&["MSELoss"], TORCH, "a training step takes the loss: `MeanSquaredError::new(&targets)`"),
];

/// The layer of another library that is called so there, in the very spelling.
pub(crate) fn spelled(name: &str) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|foreign| foreign.names.contains(&name))
}

/// The same in any spelling, `batch_norm1d` or `dense`.
pub(crate) fn alike(name: &str) -> Option<&'static Foreign> {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let of = |foreign: &&Foreign| match foreign.here {
        // Of nothing but another spelling of ours, the nearest name is told.
        Layer(row) if plain(row) == plain(name) => false,
        _ => foreign.names.iter().any(|known| plain(known) == plain(name)),
    };
    FOREIGN.iter().find(of)
}

/// Where other libraries keep their layers.
pub(crate) const MODULES: [&str; 5] =
    ["nn", "torch::nn", "keras::layers", "tf::keras::layers", "tensorflow::keras::layers"];

/// What arguments of other libraries are called here.
pub(crate) const OPTIONS: [(&str, &str); 12] = [
    ("filters", "out_channels"),
    ("units", "out_features"),
    ("strides", "stride"),
    ("pool_size", "kernel_size"),
    ("dilation_rate", "dilation"),
    ("use_bias", "bias"),
    ("rate", "p"),
    ("drop_prob", "p"),
    ("init_values", "init_value"),
    ("epsilon", "eps"),
    ("alpha", "negative_slope"),
    ("interpolation", "mode"),
];

//! The table: a row per layer. A new layer is a row.

use proc_macro2::TokenStream;
use quote::quote;

use super::Reads::{Signs, Values};
use super::{
    Applied, Argument, ArgumentKind, Arguments, Default, Folds, Outcome, Reads, Row, Settled, Site, constants, maps,
    rearranged, window,
};

const fn size(name: &'static str, kind: ArgumentKind) -> Argument {
    Argument { name, kind, default: Default::Required }
}

const fn pair(name: &'static str, least: u64, default: Default) -> Argument {
    Argument { name, kind: ArgumentKind::Pair(least), default }
}

const fn truth(name: &'static str, default: bool) -> Argument {
    Argument { name, kind: ArgumentKind::Truth, default: Default::Truth(default) }
}

const fn count(name: &'static str, default: u64) -> Argument {
    Argument { name, kind: ArgumentKind::Count, default: Default::Number(default) }
}

const fn probability(name: &'static str, default: f64) -> Argument {
    Argument { name, kind: ArgumentKind::Probability, default: Default::Probability(default) }
}

const fn number(name: &'static str, least: f64, default: f64) -> Argument {
    Argument { name, kind: ArgumentKind::Number(least), default: Default::Real(default) }
}

const fn finite(name: &'static str, default: f64) -> Argument {
    Argument { name, kind: ArgumentKind::Finite, default: Default::Real(default) }
}

const fn positive(name: &'static str, default: f64) -> Argument {
    Argument { name, kind: ArgumentKind::Positive, default: Default::Real(default) }
}

const fn word(name: &'static str, words: &'static [&'static str], default: &'static str) -> Argument {
    Argument { name, kind: ArgumentKind::Word(words), default: Default::Word(default) }
}

const fn side(name: &'static str) -> Argument {
    Argument { name, kind: ArgumentKind::Side, default: Default::Absent }
}

const fn later(name: &'static str) -> Argument {
    Argument { name, kind: ArgumentKind::Later, default: Default::Required }
}

const fn along(name: &'static str, least: u64, across: u64, default: Default) -> Argument {
    Argument { name, kind: ArgumentKind::Along { least, across }, default }
}

const STRICT: Argument = Argument { name: "strict", kind: ArgumentKind::Flag, default: Default::Truth(false) };
const KERNEL: Argument = size("kernel_size", ArgumentKind::Pair(1));
const PADDING: Argument = pair("padding", 0, Default::Number(0));
const DILATION: Argument = pair("dilation", 1, Default::Number(1));
const POOL_STRIDE: Argument = pair("stride", 1, Default::SameAs("kernel_size"));
const CEIL_MODE: Argument = truth("ceil_mode", false);

/// What stands around the map of a convolution: zeros, or what [`padded`](super::padded) says.
const PADDING_MODE: Argument = word("padding_mode", &["zeros", "reflect", "replicate", "circular"], "zeros");

// Of sequences: maps of height 1.
const LENGTH: Argument = along("kernel_size", 1, 1, Default::Required);
const ENDS: Argument = along("padding", 0, 0, Default::Number(0));
const SPREAD: Argument = along("dilation", 1, 1, Default::Number(1));
const POOL_PACE: Argument = along("stride", 1, 1, Default::SameAs("kernel_size"));

/// A layer that keeps the map and has nothing to say.
const PLAIN: Row = Row {
    name: "",
    family: None,
    sizes: &[],
    options: &[],
    rule: maps::same_map,
    cost: maps::free,
    constants: constants::nothing,
    stateful: false,
    scratch: false,
    fuses_activation: false,
    activation_reads_output: true,
    activation: None,
    in_place: false,
    predicts_in_place: |_| false,
    only_trains: false,
    folds: Folds::Apart,
    keeps_signs: false,
    backward_reads: Reads::Nothing,
    reads_input_backwards: true,
    spoils_gradient: false,
    strided: true,
    named_as_step: false,
    makes_probabilities: false,
    written: None,
    instead: None,
};

/// Values at other places.
const fn rearrangement(
    name: &'static str,
    sizes: &'static [Argument],
    rule: fn(&Site<'_>) -> syn::Result<Outcome>,
    constants: fn(&Settled<'_>) -> TokenStream,
) -> Row {
    let family = Some(("rearrange", "Rearrange"));
    Row { name, family, sizes, rule, constants, reads_input_backwards: false, strided: false, ..PLAIN }
}

const AROUND: &[Argument] = &[size("padding", ArgumentKind::Sides { same: false })];
const SIDES: &[Argument] = &[side("left"), side("right"), side("top"), side("bottom")];

/// Rows and columns around a map.
const fn padding(
    name: &'static str,
    rule: fn(&Site<'_>) -> syn::Result<Outcome>,
    constants: fn(&Settled<'_>) -> TokenStream,
) -> Row {
    Row {
        name,
        family: Some(("pad2d", "Pad2d")),
        sizes: AROUND,
        options: SIDES,
        rule,
        constants,
        reads_input_backwards: false,
        ..PLAIN
    }
}

const REDUCED: &[Argument] = &[word("over", &["all", "channels", "space"], "all")];

/// Many values that become one.
const fn reduction(name: &'static str, constants: fn(&Settled<'_>) -> TokenStream) -> Row {
    Row {
        name,
        family: Some(("reduce", "Reduce")),
        options: REDUCED,
        rule: maps::reduction,
        constants,
        backward_reads: Values,
        ..PLAIN
    }
}

/// The sizes of a map that a layer makes of anything.
const MAP: &[Argument] =
    &[size("channels", ArgumentKind::Count), size("height", ArgumentKind::Count), size("width", ArgumentKind::Count)];

const OVER_CHANNELS_OR_WIDTH: &[Argument] = &[word("over", &["channels", "width"], "channels")];

/// A softmax, or its logarithm: of the channels of each cell, or of each row.
const fn softmax(name: &'static str, instead: fn(&Arguments) -> Option<&'static Row>) -> Row {
    Row {
        name,
        options: OVER_CHANNELS_OR_WIDTH,
        constants: constants::rows,
        backward_reads: Values,
        reads_input_backwards: false,
        instead: Some(instead),
        ..PLAIN
    }
}

const fn softmax_over_width(name: &'static str, constants: fn(&Settled<'_>) -> TokenStream) -> Row {
    Row {
        name,
        family: Some(("softmax_over_width", "SoftmaxOverWidth")),
        rule: maps::same_spatial_map,
        constants,
        backward_reads: Values,
        reads_input_backwards: false,
        strided: false,
        ..PLAIN
    }
}

static SOFTMAX_OVER_WIDTH: Row = softmax_over_width("softmax", |layer| constants::softmax_over_width(layer, false));
static LOG_SOFTMAX_OVER_WIDTH: Row =
    softmax_over_width("log_softmax", |layer| constants::softmax_over_width(layer, true));

/// A function of each value that is an expression of the language.
const fn written(name: &'static str, options: &'static [Argument], expression: &'static str) -> Row {
    Row { name, options, written: Some(expression), ..PLAIN }
}

/// A function of each value, which works in place because its slope can be told from its results.
const fn activation(name: &'static str, constants: fn(&Settled<'_>) -> TokenStream) -> Row {
    Row {
        name,
        family: Some(("activation", "Activation")),
        constants,
        in_place: true,
        predicts_in_place: |_| true,
        activation: Some(Applied::Then),
        backward_reads: Values,
        reads_input_backwards: false,
        ..PLAIN
    }
}

const LEAKY_RELU: Row =
    Row { options: &[finite("negative_slope", 0.01)], ..activation("leaky_relu", constants::leaky_relu) };

/// A `leaky_relu` of a negative slope: the sign of its output does not tell that of its input, which is kept.
static MIRRORING: Row =
    Row { in_place: false, backward_reads: Reads::Nothing, reads_input_backwards: true, ..LEAKY_RELU };

/// A `leaky_relu` of a slope that only rustc knows: it may read the input backwards, or the output.
static LEANING: Row = Row { in_place: false, reads_input_backwards: true, ..LEAKY_RELU };

/// A normalization over the batch.
const BATCH_NORM2D: Row = Row {
    name: "batch_norm2d",
    options: &[
        positive("eps", 1e-5),
        Argument { name: "momentum", kind: ArgumentKind::ProbabilityOrNone, default: Default::Probability(0.1) },
        truth("affine", true),
        truth("track_running_stats", true),
    ],
    rule: maps::batch_norm2d,
    cost: maps::batch_norm2d_cost,
    constants: constants::batch_norm2d,
    scratch: true,
    stateful: true,
    fuses_activation: true,
    activation_reads_output: false,
    predicts_in_place: |arguments| arguments.truth("track_running_stats"),
    folds: Folds::Is(|arguments| arguments.truth("track_running_stats")),
    ..PLAIN
};

/// What a layer is over: all values of a sample, or the channels of each position.
const OVER: Argument = word("over", &["all", "channels"], "all");

/// A linear layer: a product with a weight.
const LINEAR: Row = Row {
    name: "linear",
    sizes: &[size("out_features", ArgumentKind::Count)],
    options: &[truth("bias", true), OVER],
    rule: maps::linear,
    cost: maps::linear_cost,
    constants: constants::linear,
    scratch: true,
    fuses_activation: true,
    folds: Folds::Behind,
    ..PLAIN
};

/// One of the channels of each position: a convolution by one cell.
static LINEAR_OVER_CHANNELS: Row = Row {
    family: Some(("conv2d", "Conv2d")),
    rule: maps::linear_over_channels,
    constants: constants::linear_over_channels,
    ..LINEAR
};

/// A normalization of each sample by itself.
const GROUP_NORM: Row =
    Row { family: Some(("group_norm", "GroupNorm")), scratch: true, fuses_activation: true, ..PLAIN };

const CONV2D: Row = Row {
    name: "conv2d",
    sizes: &[size("out_channels", ArgumentKind::Count), KERNEL],
    options: &[
        pair("stride", 1, Default::Number(1)),
        Argument { name: "padding", kind: ArgumentKind::Sides { same: true }, default: Default::Number(0) },
        DILATION,
        count("groups", 1),
        truth("bias", true),
        word("algorithm", &["auto", "direct", "winograd"], "auto"),
        STRICT,
        PADDING_MODE,
    ],
    rule: window::conv2d,
    cost: window::conv2d_cost,
    constants: constants::conv2d,
    scratch: true,
    fuses_activation: true,
    folds: Folds::Behind,
    ..PLAIN
};

const CONV_TRANSPOSE2D: Row = Row {
    name: "conv_transpose2d",
    sizes: &[size("out_channels", ArgumentKind::Count), KERNEL],
    options: &[
        pair("stride", 1, Default::Number(1)),
        Argument { name: "padding", kind: ArgumentKind::Sides { same: false }, default: Default::Number(0) },
        pair("output_padding", 0, Default::Number(0)),
        DILATION,
        count("groups", 1),
        truth("bias", true),
    ],
    rule: window::conv_transpose2d,
    cost: window::conv_transpose2d_cost,
    constants: constants::conv_transpose2d,
    scratch: true,
    fuses_activation: true,
    folds: Folds::Behind,
    ..PLAIN
};

const MAX_POOL2D: Row = Row {
    name: "max_pool2d",
    sizes: &[KERNEL],
    options: &[POOL_STRIDE, PADDING, DILATION, CEIL_MODE, STRICT],
    rule: window::pool2d,
    constants: constants::pool2d,
    backward_reads: Values,
    ..PLAIN
};

const AVG_POOL2D: Row = Row {
    name: "avg_pool2d",
    sizes: &[KERNEL],
    options: &[
        POOL_STRIDE,
        PADDING,
        CEIL_MODE,
        truth("count_include_pad", true),
        STRICT,
        Argument { name: "divisor_override", kind: ArgumentKind::Count, default: Default::Absent },
    ],
    rule: window::pool2d,
    constants: constants::pool2d,
    reads_input_backwards: false,
    ..PLAIN
};

const ADAPTIVE_AVG_POOL2D: Row = Row {
    name: "adaptive_avg_pool2d",
    sizes: &[size("output_size", ArgumentKind::Pair(1))],
    rule: maps::adaptive_pool2d,
    constants: constants::adaptive_pool2d,
    reads_input_backwards: false,
    ..PLAIN
};

const ADAPTIVE_MAX_POOL2D: Row = Row {
    name: "adaptive_max_pool2d",
    sizes: &[size("output_size", ArgumentKind::Pair(1))],
    rule: maps::adaptive_pool2d,
    constants: constants::adaptive_pool2d,
    backward_reads: Values,
    ..PLAIN
};

/// Every layer. Names and defaults are PyTorch's.
pub(crate) static ROWS: &[Row] = &[
    CONV2D,
    Row {
        name: "conv1d",
        family: Some(("conv2d", "Conv2d")),
        sizes: &[size("out_channels", ArgumentKind::Count), LENGTH],
        options: &[
            along("stride", 1, 1, Default::Number(1)),
            Argument { name: "padding", kind: ArgumentKind::Ends { same: true }, default: Default::Number(0) },
            SPREAD,
            count("groups", 1),
            truth("bias", true),
            STRICT,
            PADDING_MODE,
        ],
        constants: constants::conv1d,
        ..CONV2D
    },
    CONV_TRANSPOSE2D,
    Row {
        name: "conv_transpose1d",
        family: Some(("conv_transpose2d", "ConvTranspose2d")),
        sizes: &[size("out_channels", ArgumentKind::Count), LENGTH],
        options: &[
            along("stride", 1, 1, Default::Number(1)),
            Argument { name: "padding", kind: ArgumentKind::Ends { same: false }, default: Default::Number(0) },
            along("output_padding", 0, 0, Default::Number(0)),
            SPREAD,
            count("groups", 1),
            truth("bias", true),
        ],
        constants: constants::conv_transpose1d,
        ..CONV_TRANSPOSE2D
    },
    MAX_POOL2D,
    Row {
        name: "max_pool1d",
        family: Some(("max_pool2d", "MaxPool2d")),
        sizes: &[LENGTH],
        options: &[POOL_PACE, ENDS, SPREAD, CEIL_MODE, STRICT],
        ..MAX_POOL2D
    },
    AVG_POOL2D,
    Row {
        name: "avg_pool1d",
        family: Some(("avg_pool2d", "AvgPool2d")),
        sizes: &[LENGTH],
        options: &[POOL_PACE, ENDS, CEIL_MODE, truth("count_include_pad", true), STRICT],
        ..AVG_POOL2D
    },
    ADAPTIVE_AVG_POOL2D,
    Row {
        name: "adaptive_avg_pool1d",
        family: Some(("adaptive_avg_pool2d", "AdaptiveAvgPool2d")),
        sizes: &[along("output_size", 1, 1, Default::Required)],
        ..ADAPTIVE_AVG_POOL2D
    },
    ADAPTIVE_MAX_POOL2D,
    Row {
        name: "adaptive_max_pool1d",
        family: Some(("adaptive_max_pool2d", "AdaptiveMaxPool2d")),
        sizes: &[along("output_size", 1, 1, Default::Required)],
        ..ADAPTIVE_MAX_POOL2D
    },
    BATCH_NORM2D,
    Row {
        name: "batch_norm1d",
        family: Some(("batch_norm2d", "BatchNorm2d")),
        rule: maps::batch_norm1d,
        ..BATCH_NORM2D
    },
    Row {
        name: "layer_norm",
        options: &[positive("eps", 1e-5), truth("elementwise_affine", true), truth("bias", true), OVER],
        constants: constants::layer_norm,
        cost: maps::layer_norm_cost,
        ..GROUP_NORM
    },
    Row {
        name: "group_norm",
        sizes: &[size("num_groups", ArgumentKind::Count)],
        options: &[positive("eps", 1e-5), truth("affine", true)],
        rule: maps::group_norm,
        cost: maps::group_norm_cost,
        constants: constants::group_norm,
        ..GROUP_NORM
    },
    Row {
        name: "instance_norm2d",
        options: &[positive("eps", 1e-5), truth("affine", false), later("track_running_stats")],
        rule: maps::instance_norm2d,
        cost: maps::group_norm_cost,
        constants: constants::group_norm,
        ..GROUP_NORM
    },
    Row {
        name: "rms_norm",
        // PyTorch's `None` is the distance of 1 and the next f32.
        options: &[positive("eps", f32::EPSILON as f64), truth("elementwise_affine", true), OVER],
        constants: constants::rms_norm,
        cost: maps::rms_norm_cost,
        ..GROUP_NORM
    },
    Row {
        name: "local_response_norm",
        sizes: &[size("size", ArgumentKind::Count)],
        options: &[number("alpha", 0.0, 1e-4), finite("beta", 0.75), number("k", 0.0, 1.0)],
        rule: maps::same_spatial_map,
        constants: constants::local_response_norm,
        scratch: true,
        ..PLAIN
    },
    Row {
        name: "upsample",
        options: &[
            pair("size", 1, Default::Absent),
            Argument { name: "scale_factor", kind: ArgumentKind::Factors, default: Default::Absent },
            word("mode", &["nearest", "bilinear"], "nearest"),
            truth("align_corners", false),
        ],
        rule: maps::upsample,
        constants: constants::upsample,
        reads_input_backwards: false,
        ..PLAIN
    },
    padding("zero_pad2d", maps::pad2d, |layer| constants::pad2d(layer, &quote!(ZEROS))),
    Row {
        options: &[
            side("left"),
            side("right"),
            side("top"),
            side("bottom"),
            Argument { name: "value", kind: ArgumentKind::Finite, default: Default::Required },
        ],
        ..padding("constant_pad2d", maps::pad2d, constants::constant_pad2d)
    },
    padding("reflection_pad2d", maps::reflection_pad2d, |layer| constants::pad2d(layer, &quote!(Reflect))),
    padding("replication_pad2d", maps::pad2d, |layer| constants::pad2d(layer, &quote!(Replicate))),
    padding("circular_pad2d", maps::circular_pad2d, |layer| constants::pad2d(layer, &quote!(Circular))),
    Row {
        instead: Some(|arguments| (arguments.word("over") == "channels").then_some(&LINEAR_OVER_CHANNELS)),
        ..LINEAR
    },
    Row {
        name: "flatten",
        rule: maps::flatten,
        constants: constants::flatten,
        reads_input_backwards: false,
        strided: false,
        ..PLAIN
    },
    Row {
        activation: Some(Applied::InRegisters("Relu")),
        keeps_signs: true,
        backward_reads: Signs,
        ..activation("relu", |layer| layer.activation(quote!(Relu)))
    },
    Row {
        activation: Some(Applied::InRegisters("Relu6")),
        keeps_signs: true,
        ..activation("relu6", |layer| layer.activation(quote!(Relu6)))
    },
    Row {
        keeps_signs: true,
        backward_reads: Signs,
        instead: Some(|arguments| match arguments.real("negative_slope").known() {
            Some(slope) => (slope < 0.0).then_some(&MIRRORING),
            None => Some(&LEANING),
        }),
        ..LEAKY_RELU
    },
    Row {
        name: "prelu",
        options: &[count("num_parameters", 1)],
        rule: maps::prelu,
        cost: maps::prelu_cost,
        constants: constants::prelu,
        scratch: true,
        ..PLAIN
    },
    Row {
        name: "layer_scale",
        named_as_step: true,
        options: &[finite("init_value", 1e-6)],
        cost: maps::layer_scale_cost,
        constants: constants::layer_scale,
        scratch: true,
        predicts_in_place: |_| true,
        folds: Folds::Is(|_| true),
        ..PLAIN
    },
    Row {
        name: "parameter",
        family: Some(("learned", "Learned")),
        named_as_step: true,
        sizes: MAP,
        options: &[finite("init_value", 0.0)],
        rule: rearranged::parameter,
        cost: maps::parameter_cost,
        constants: constants::learned,
        reads_input_backwards: false,
        strided: false,
        ..PLAIN
    },
    activation("sigmoid", |layer| layer.activation(quote!(Sigmoid))),
    Row { keeps_signs: true, ..activation("tanh", |layer| layer.activation(quote!(Tanh))) },
    activation("hardsigmoid", |layer| layer.activation(quote!(Hardsigmoid))),
    Row {
        in_place: false,
        backward_reads: Reads::Nothing,
        reads_input_backwards: true,
        ..activation("hardswish", |layer| layer.activation(quote!(Hardswish)))
    },
    Row {
        in_place: false,
        backward_reads: Reads::Nothing,
        reads_input_backwards: true,
        ..activation("silu", |layer| layer.activation(quote!(Silu)))
    },
    Row {
        options: &[word("approximate", &["none", "tanh"], "none")],
        in_place: false,
        backward_reads: Reads::Nothing,
        reads_input_backwards: true,
        ..activation("gelu", constants::gelu)
    },
    written("elu", &[finite("alpha", 1.0)], "|x| if x > 0 { x } else { alpha * exp_m1(x) }"),
    written("celu", &[positive("alpha", 1.0)], "|x| if x > 0 { x } else { alpha * exp_m1(x / alpha) }"),
    written(
        "selu",
        &[],
        "|x| if x > 0 { 1.0507009873554805 * x } else { 1.0507009873554805 * 1.6732632423543772 * exp_m1(x) }",
    ),
    written("mish", &[], "|x| x * tanh(softplus(x))"),
    written(
        "softplus",
        &[positive("beta", 1.0), finite("threshold", 20.0)],
        "|x| if beta * x > threshold { x } else { softplus(beta * x) / beta }",
    ),
    written("hardtanh", &[finite("min_val", -1.0), finite("max_val", 1.0)], "|x| clamp(x, min_val, max_val)"),
    written(
        "threshold",
        &[
            Argument { name: "threshold", kind: ArgumentKind::Finite, default: Default::Required },
            Argument { name: "value", kind: ArgumentKind::Finite, default: Default::Required },
        ],
        "|x| if x <= threshold { value } else { x }",
    ),
    written("softsign", &[], "|x| x / (1 + abs(x))"),
    written("logsigmoid", &[], "|x| -softplus(-x)"),
    written("tanhshrink", &[], "|x| x - tanh(x)"),
    Row {
        name: "dropout",
        options: &[probability("p", 0.5)],
        constants: constants::dropout,
        in_place: true,
        reads_input_backwards: false,
        spoils_gradient: true,
        keeps_signs: true,
        only_trains: true,
        ..PLAIN
    },
    Row {
        name: "dropout2d",
        options: &[probability("p", 0.5)],
        rule: maps::same_spatial_map,
        constants: constants::dropout,
        in_place: true,
        reads_input_backwards: false,
        spoils_gradient: true,
        keeps_signs: true,
        only_trains: true,
        ..PLAIN
    },
    Row {
        name: "drop_path",
        family: Some(("dropout2d", "Dropout2d")),
        options: &[Argument { name: "p", kind: ArgumentKind::Probability, default: Default::Required }],
        constants: constants::drop_path,
        in_place: true,
        reads_input_backwards: false,
        spoils_gradient: true,
        keeps_signs: true,
        only_trains: true,
        ..PLAIN
    },
    rearrangement("unflatten", MAP, rearranged::unflatten, |layer| rearranged::constants(layer, "unflatten")),
    rearrangement(
        "channel_slice",
        &[size("from", ArgumentKind::Index), size("to", ArgumentKind::Count)],
        rearranged::channel_slice,
        |layer| rearranged::constants(layer, "channel_slice"),
    ),
    rearrangement("crop", &[size("sides", ArgumentKind::Sides { same: false })], rearranged::crop, |layer| {
        rearranged::constants(layer, "crop")
    }),
    rearrangement("channel_shuffle", &[size("groups", ArgumentKind::Count)], rearranged::channel_shuffle, |layer| {
        rearranged::constants(layer, "channel_shuffle")
    }),
    rearrangement(
        "pixel_shuffle",
        &[size("upscale_factor", ArgumentKind::Count)],
        rearranged::pixel_shuffle,
        |layer| rearranged::constants(layer, "pixel_shuffle"),
    ),
    rearrangement(
        "pixel_unshuffle",
        &[size("downscale_factor", ArgumentKind::Count)],
        rearranged::pixel_unshuffle,
        |layer| rearranged::constants(layer, "pixel_unshuffle"),
    ),
    rearrangement("reshape", MAP, rearranged::reshape, |layer| rearranged::constants(layer, "reshape")),
    rearrangement(
        "permute",
        &[
            size("batch", ArgumentKind::Index),
            size("channels", ArgumentKind::Index),
            size("height", ArgumentKind::Index),
            size("width", ArgumentKind::Index),
        ],
        rearranged::permute,
        |layer| rearranged::constants(layer, "permute"),
    ),
    rearrangement("transpose", &[], rearranged::transpose, |layer| rearranged::constants(layer, "transpose")),
    Row {
        backward_reads: Reads::Nothing,
        reads_input_backwards: false,
        ..reduction("sum", |layer| constants::reduction(layer, "Sum"))
    },
    Row {
        backward_reads: Reads::Nothing,
        reads_input_backwards: false,
        ..reduction("mean", |layer| constants::reduction(layer, "Mean"))
    },
    reduction("max", |layer| constants::reduction(layer, "Max")),
    reduction("logsumexp", |layer| constants::reduction(layer, "LogSumExp")),
    reduction("norm", |layer| constants::reduction(layer, "Norm")),
    Row {
        makes_probabilities: true,
        ..softmax("softmax", |arguments| (arguments.word("over") == "width").then_some(&SOFTMAX_OVER_WIDTH))
    },
    softmax("log_softmax", |arguments| (arguments.word("over") == "width").then_some(&LOG_SOFTMAX_OVER_WIDTH)),
];

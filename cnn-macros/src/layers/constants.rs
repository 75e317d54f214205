//! What the type of a layer says: the constants of its trait in `cnn_core::layer`. Options travel by name.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::Arguments;
use crate::size::{Real, Shape, Size};

/// A layer with all that its constants are made of.
pub(crate) struct Settled<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) input: &'a Shape,
    /// The activation behind it, if it applies that: a value of `cnn_core::kernel::FusedActivation`.
    pub(crate) fused: TokenStream,
    /// Channels of the map that was flattened into its input; all features if none was.
    pub(crate) flattened: Size,
    /// Channels of the maps that its input and its output are parts of; 0 where one stands alone.
    pub(crate) layout: [u64; 2],
}

impl Settled<'_> {
    fn pair(&self, name: &str) -> TokenStream {
        let [vertical, horizontal] = self.arguments.pair(name);
        quote!([#vertical, #horizontal])
    }

    /// Where its maps lie.
    fn layout(&self) -> TokenStream {
        if self.layout == [0, 0] {
            return quote!(__geometry::Layout::DENSE);
        }
        let [input, output] = self.layout.map(Literal::u64_unsuffixed);
        quote!(__geometry::Layout::strided(#input, #output))
    }

    /// The constants of a function of each value, by its name in `geometry::Activation`, with its options.
    pub(super) fn activation(&self, function: TokenStream) -> TokenStream {
        let rows = rows(self);
        quote! {
            const FUNCTION: __geometry::Activation =
                __geometry::Activation::#function;
            #rows
        }
    }

    fn fused(&self) -> TokenStream {
        let fused = &self.fused;
        quote!(const FUSED: __kernel::FusedActivation = #fused;)
    }

    fn bias_and_activation(&self) -> TokenStream {
        let (bias, fused) = (self.arguments.truth("bias"), self.fused());
        quote! {
            const BIAS: bool = #bias;
            #fused
        }
    }

    fn padding(&self) -> TokenStream {
        let [top, bottom, left, right] = self.arguments.padding();
        if top.known() == bottom.known() && left.known() == right.known() && top.known().and(left.known()).is_some() {
            return quote!(__geometry::Padding::symmetric([#top, #left]));
        }
        quote!(__geometry::Padding { top: #top, bottom: #bottom, left: #left, right: #right })
    }
}

pub(super) fn nothing(_: &Settled<'_>) -> TokenStream {
    TokenStream::new()
}

pub(super) fn conv2d(layer: &Settled<'_>) -> TokenStream {
    let numbers = ["kernel_size", "stride", "dilation"].map(|name| layer.pair(name));
    let algorithm = match layer.arguments.get("algorithm").map(|_| layer.arguments.word("algorithm")) {
        Some("direct") => quote!(Direct),
        Some("winograd") => quote!(Winograd),
        _ => quote!(Auto),
    };
    convolution(layer, "out_channels", numbers, &layer.padding(), layer.arguments.count("groups"), &algorithm)
}

/// Along a sequence; its weight has three sizes in files.
pub(super) fn conv1d(layer: &Settled<'_>) -> TokenStream {
    let convolution = conv2d(layer);
    quote!(#convolution const RANK: usize = 3;)
}

/// Along a sequence; its weight has three sizes in files.
pub(super) fn conv_transpose1d(layer: &Settled<'_>) -> TokenStream {
    let convolution = conv_transpose2d(layer);
    quote!(#convolution const RANK: usize = 3;)
}

/// A convolution by one cell, whose weight has two sizes in files.
pub(super) fn linear_over_channels(layer: &Settled<'_>) -> TokenStream {
    let (ones, padding) = (quote!([1, 1]), quote!(__geometry::Padding::symmetric([0, 0])));
    let numbers = [ones.clone(), ones.clone(), ones];
    let convolution = convolution(layer, "out_features", numbers, &padding, &Size::Known(1), &quote!(Auto));
    quote!(#convolution const RANK: usize = 2;)
}

/// A convolution of so many channels, by the name of that size, with kernel, stride and dilation.
fn convolution(
    layer: &Settled<'_>,
    out_channels: &str,
    [kernel_size, stride, dilation]: [TokenStream; 3],
    padding: &TokenStream,
    groups: &Size,
    algorithm: &TokenStream,
) -> TokenStream {
    let [in_channels, height, width] = layer.input.sizes();
    let out_channels = layer.arguments.count(out_channels);
    let (layout, bias_and_activation) = (layer.layout(), layer.bias_and_activation());
    quote! {
        const GEOMETRY: __geometry::Conv2dGeometry = __geometry::Conv2dGeometry {
            in_channels: #in_channels,
            in_size: [#height, #width],
            out_channels: #out_channels,
            kernel_size: #kernel_size,
            stride: #stride,
            padding: #padding,
            unread: [0, 0],
            algorithm: __geometry::Conv2dAlgorithm::#algorithm,
            dilation: #dilation,
            groups: #groups,
            layout: #layout,
        };
        #bias_and_activation
    }
}

pub(super) fn pool2d(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    let [kernel_size, stride, padding] = ["kernel_size", "stride", "padding"].map(|name| layer.pair(name));
    let [vertical, horizontal] = layer.arguments.pair_or_ones("dilation");
    let (layout, ceil_mode) = (layer.layout(), layer.arguments.truth("ceil_mode"));
    let count_include_pad =
        layer.arguments.get("count_include_pad").is_none() || layer.arguments.truth("count_include_pad");
    let divisor_override = match layer.arguments.get("divisor_override") {
        Some(_) => {
            let divisor = layer.arguments.count("divisor_override");
            quote!(__Option::Some(#divisor))
        }
        None => quote!(__Option::None),
    };
    quote! {
        const GEOMETRY: __geometry::Pool2dGeometry = __geometry::Pool2dGeometry {
            channels: #channels,
            in_size: [#height, #width],
            kernel_size: #kernel_size,
            stride: #stride,
            padding: #padding,
            dilation: [#vertical, #horizontal],
            ceil_mode: #ceil_mode,
            count_include_pad: #count_include_pad,
            divisor_override: #divisor_override,
            layout: #layout,
        };
    }
}

pub(super) fn adaptive_pool2d(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    let (out_size, layout) = (layer.pair("output_size"), layer.layout());
    quote! {
        const GEOMETRY: __geometry::AdaptivePool2dGeometry =
            __geometry::AdaptivePool2dGeometry {
                channels: #channels,
                in_size: [#height, #width],
                out_size: #out_size,
                layout: #layout,
            };
    }
}

pub(super) fn batch_norm2d(layer: &Settled<'_>) -> TokenStream {
    let [channels, ..] = layer.input.sizes();
    let eps = layer.arguments.real("eps");
    let momentum = match layer.arguments.some_real("momentum") {
        Some(momentum) => quote!(__Option::Some(#momentum)),
        None => quote!(__Option::None),
    };
    let [affine, track] = ["affine", "track_running_stats"].map(|name| layer.arguments.truth(name));
    let (layout, fused) = (layer.layout(), layer.fused());
    quote! {
        const GEOMETRY: __geometry::BatchNorm2dGeometry =
            __geometry::BatchNorm2dGeometry {
                channels: #channels,
                eps: #eps,
                momentum: #momentum,
                layout: #layout,
            };
        const AFFINE: bool = #affine;
        const TRACK_RUNNING_STATS: bool = #track;
        #fused
    }
}

/// A normalization of each sample by itself, with the tensors that it has.
fn normalization(
    layer: &Settled<'_>,
    [height, width]: [TokenStream; 2],
    groups: &Size,
    centered: bool,
    by_value: &TokenStream,
    [weight, bias]: [bool; 2],
) -> TokenStream {
    let [channels, ..] = layer.input.sizes();
    let (eps, layout, fused) = (layer.arguments.real("eps"), layer.layout(), layer.fused());
    quote! {
        const GEOMETRY: __geometry::GroupNormGeometry =
            __geometry::GroupNormGeometry {
                channels: #channels,
                size: [#height, #width],
                groups: #groups,
                eps: #eps,
                centered: #centered,
                by_value: #by_value,
                layout: #layout,
            };
        const WEIGHT: bool = #weight;
        const BIAS: bool = #bias;
        #fused
    }
}

/// Over all values of a sample, or the channels of each position, which is a sample then.
fn over(layer: &Settled<'_>, centered: bool, tensors: [bool; 2]) -> TokenStream {
    let [_, height, width] = layer.input.sizes();
    let (size, by_value) = match layer.input {
        _ if layer.arguments.word("over") == "channels" => ([quote!(1), quote!(1)], quote!(false)),
        Shape::Flat(_) => ([quote!(1), quote!(1)], quote!(false)),
        Shape::Chw(_) => ([quote!(#height), quote!(#width)], quote!(true)),
        Shape::Sizes(sizes) => ([quote!(#height), quote!(#width)], quote!(!#sizes.is_flat())),
    };
    normalization(layer, size, &Size::Known(1), centered, &by_value, tensors)
}

pub(super) fn layer_norm(layer: &Settled<'_>) -> TokenStream {
    let [affine, bias] = ["elementwise_affine", "bias"].map(|name| layer.arguments.truth(name));
    over(layer, true, [affine, affine && bias])
}

pub(super) fn rms_norm(layer: &Settled<'_>) -> TokenStream {
    over(layer, false, [layer.arguments.truth("elementwise_affine"), false])
}

/// Of groups that are said, or of one for each channel.
pub(super) fn group_norm(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    let groups =
        if layer.arguments.get("num_groups").is_some() { layer.arguments.count("num_groups") } else { &channels };
    let affine = layer.arguments.truth("affine");
    normalization(layer, [quote!(#height), quote!(#width)], groups, true, &quote!(false), [affine, affine])
}

pub(super) fn linear(layer: &Settled<'_>) -> TokenStream {
    let [in_features, ..] = layer.input.sizes();
    let out_features = layer.arguments.count("out_features");
    let (channels, layout, bias_and_activation) = (&layer.flattened, layer.layout(), layer.bias_and_activation());
    quote! {
        const GEOMETRY: __geometry::LinearGeometry = __geometry::LinearGeometry {
            in_features: #in_features,
            out_features: #out_features,
            layout: #layout,
        };
        #bias_and_activation
        const CHANNELS: usize = #channels;
    }
}

pub(super) fn flatten(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    quote! {
        const CHANNELS: usize = #channels;
        const POSITIONS: usize = #height * #width;
    }
}

/// A number as an f32.
fn single(number: &Real) -> TokenStream {
    match number {
        Real::Known(number) => Literal::f64_unsuffixed(*number).to_token_stream(),
        Real::Const(number) => quote!(#number.single()),
    }
}

pub(super) fn dropout(layer: &Settled<'_>) -> TokenStream {
    let (p, len, rows) = (single(layer.arguments.real("p")), layer.input.len(), rows(layer));
    quote! {
        const P: f32 = #p;
        const LEN: usize = #len;
        #rows
    }
}

/// Of whole samples.
pub(super) fn drop_path(layer: &Settled<'_>) -> TokenStream {
    let dropout = dropout(layer);
    quote!(#dropout const WHOLE: bool = true;)
}

pub(super) fn layer_scale(layer: &Settled<'_>) -> TokenStream {
    let (rows, init_value) = (rows(layer), single(layer.arguments.real("init_value")));
    let spatial = match layer.input {
        Shape::Flat(_) => quote!(false),
        Shape::Chw(_) => quote!(true),
        Shape::Sizes(sizes) => quote!(!#sizes.is_flat()),
    };
    quote! {
        #rows
        const SPATIAL: bool = #spatial;
        const INIT_VALUE: f32 = #init_value;
    }
}

pub(super) fn learned(layer: &Settled<'_>) -> TokenStream {
    let sizes = ["channels", "height", "width"].map(|name| layer.arguments.count(name));
    let init_value = single(layer.arguments.real("init_value"));
    quote! {
        const SIZES: [usize; 3] = [#(#sizes),*];
        const INIT_VALUE: f32 = #init_value;
    }
}

/// Of a layer that looks at rows of channels, wherever they are.
pub(super) fn rows(layer: &Settled<'_>) -> TokenStream {
    let ([channels, ..], layout) = (layer.input.sizes(), layer.layout());
    quote! {
        const CHANNELS: usize = #channels;
        const LAYOUT: __geometry::Layout = #layout;
    }
}

pub(super) fn softmax_over_width(layer: &Settled<'_>, logarithm: bool) -> TokenStream {
    let [channels, _, width] = layer.input.sizes();
    quote! {
        const CHANNELS: usize = #channels;
        const WIDTH: usize = #width;
        const LOGARITHM: bool = #logarithm;
    }
}

pub(super) fn reduction(layer: &Settled<'_>, name: &str) -> TokenStream {
    let ([channels, height, width], layout) = (layer.input.sizes(), layer.layout());
    let over = match layer.arguments.word("over") {
        "channels" => quote!(Channels),
        "space" => quote!(Space),
        _ => quote!(All),
    };
    let name = format_ident!("{name}");
    quote! {
        const GEOMETRY: __geometry::ReductionGeometry =
            __geometry::ReductionGeometry {
                reduction: __geometry::Reduction::#name,
                over: __geometry::Over::#over,
                channels: #channels,
                cells: #height * #width,
                layout: #layout,
            };
    }
}

pub(super) fn leaky_relu(layer: &Settled<'_>) -> TokenStream {
    let slope = layer.arguments.real("negative_slope");
    layer.activation(quote!(LeakyRelu { negative_slope: #slope }))
}

pub(super) fn gelu(layer: &Settled<'_>) -> TokenStream {
    let approximate = if layer.arguments.word("approximate") == "tanh" { quote!(Tanh) } else { quote!(None) };
    layer.activation(quote!(Gelu { approximate: __geometry::GeluApproximation::#approximate }))
}

pub(super) fn prelu(layer: &Settled<'_>) -> TokenStream {
    let (rows, num_parameters) = (rows(layer), layer.arguments.count("num_parameters"));
    quote! {
        #rows
        const NUM_PARAMETERS: usize = #num_parameters;
    }
}

pub(super) fn conv_transpose2d(layer: &Settled<'_>) -> TokenStream {
    let [in_channels, height, width] = layer.input.sizes();
    let [out_channels, groups] = ["out_channels", "groups"].map(|name| layer.arguments.count(name));
    let [kernel_size, stride, output_padding, dilation] =
        ["kernel_size", "stride", "output_padding", "dilation"].map(|name| layer.pair(name));
    let (padding, layout, bias_and_activation) = (layer.padding(), layer.layout(), layer.bias_and_activation());
    quote! {
        const GEOMETRY: __geometry::ConvTranspose2dGeometry =
            __geometry::ConvTranspose2dGeometry {
                in_channels: #in_channels,
                in_size: [#height, #width],
                out_channels: #out_channels,
                kernel_size: #kernel_size,
                stride: #stride,
                padding: #padding,
                output_padding: #output_padding,
                dilation: #dilation,
                groups: #groups,
                layout: #layout,
            };
        #bias_and_activation
    }
}

pub(super) fn local_response_norm(layer: &Settled<'_>) -> TokenStream {
    let ([channels, ..], layout) = (layer.input.sizes(), layer.layout());
    let size = layer.arguments.count("size");
    let [alpha, beta, k] = ["alpha", "beta", "k"].map(|name| layer.arguments.real(name));
    quote! {
        const GEOMETRY: __geometry::LocalResponseNormGeometry =
            __geometry::LocalResponseNormGeometry {
                channels: #channels,
                size: #size,
                alpha: #alpha,
                beta: #beta,
                k: #k,
                layout: #layout,
            };
    }
}

pub(super) fn upsample(layer: &Settled<'_>) -> TokenStream {
    let ([channels, height, width], layout) = (layer.input.sizes(), layer.layout());
    let [out_height, out_width] = super::maps::upsampled(layer.arguments, [&height, &width]);
    let scale_factor = match layer.arguments.fractions("scale_factor") {
        Some([vertical, horizontal]) if vertical.known().and(horizontal.known()).is_some() => {
            quote!(__Option::Some([#vertical, #horizontal]))
        }
        // Whether they have fractions is for rustc to see.
        Some(factors) => {
            let [vertical, horizontal] = factors.each_ref().map(Real::checked);
            quote!(__shape::check::factors(#vertical, #horizontal))
        }
        None => quote!(__Option::None),
    };
    let align_corners = layer.arguments.truth("align_corners");
    let interpolation = if layer.arguments.word("mode") == "bilinear" {
        quote!(Bilinear { align_corners: #align_corners })
    } else {
        quote!(Nearest)
    };
    quote! {
        const GEOMETRY: __geometry::Upsample2dGeometry =
            __geometry::Upsample2dGeometry {
                channels: #channels,
                in_size: [#height, #width],
                out_size: [#out_height, #out_width],
                scale_factor: #scale_factor,
                interpolation: __geometry::Interpolation::#interpolation,
                layout: #layout,
            };
    }
}

/// With what stands around the map: a value of `PaddingMode`.
pub(super) fn pad2d(layer: &Settled<'_>, mode: &TokenStream) -> TokenStream {
    let ([channels, height, width], padding, layout) = (layer.input.sizes(), layer.padding(), layer.layout());
    quote! {
        const GEOMETRY: __geometry::Pad2dGeometry =
            __geometry::Pad2dGeometry {
                channels: #channels,
                in_size: [#height, #width],
                padding: #padding,
                mode: __geometry::PaddingMode::#mode,
                layout: #layout,
            };
    }
}

pub(super) fn constant_pad2d(layer: &Settled<'_>) -> TokenStream {
    let value = single(layer.arguments.real("value"));
    pad2d(layer, &quote!(Constant(#value)))
}

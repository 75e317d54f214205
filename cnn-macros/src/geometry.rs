//! What the type of a layer says: the constants of its trait in `cnn_core::layer`. Options travel by name.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::layers::Arguments;
use crate::plan::{Shape, Size};

/// A layer with all that its constants are made of.
pub(crate) struct Settled<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) input: &'a Shape,
    /// Whether it applies the rectifier behind it.
    pub(crate) relu: bool,
    /// Channels of the map that was flattened into its input; all features if none was.
    pub(crate) flattened: Size,
}

impl Settled<'_> {
    fn pair(&self, name: &str) -> TokenStream {
        let [vertical, horizontal] = self.arguments.pair(name);
        quote!([#vertical, #horizontal])
    }

    fn pair_or_ones(&self, name: &str) -> TokenStream {
        if self.arguments.get(name).is_some() { self.pair(name) } else { quote!([1, 1]) }
    }

    fn bias_and_relu(&self) -> TokenStream {
        let (bias, relu) = (self.arguments.truth("bias"), self.relu);
        quote! {
            const BIAS: bool = #bias;
            const RELU: bool = #relu;
        }
    }
}

pub(crate) fn nothing(_: &Settled<'_>) -> TokenStream {
    TokenStream::new()
}

pub(crate) fn conv2d(layer: &Settled<'_>) -> TokenStream {
    let [in_channels, height, width] = layer.input.sizes();
    let out_channels = layer.arguments.count("out_channels");
    let [kernel_size, stride, padding, dilation] =
        ["kernel_size", "stride", "padding", "dilation"].map(|name| layer.pair(name));
    let bias_and_relu = layer.bias_and_relu();
    quote! {
        const GEOMETRY: ::cnn_core::kernel::geometry::Conv2dGeometry = ::cnn_core::kernel::geometry::Conv2dGeometry {
            in_channels: #in_channels,
            in_size: [#height, #width],
            out_channels: #out_channels,
            kernel_size: #kernel_size,
            stride: #stride,
            padding: ::cnn_core::kernel::geometry::Padding::symmetric(#padding),
            dilation: #dilation,
            groups: 1,
            layout: ::cnn_core::kernel::geometry::Layout::DENSE,
        };
        #bias_and_relu
    }
}

pub(crate) fn pool2d(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    let [kernel_size, stride, padding] = ["kernel_size", "stride", "padding"].map(|name| layer.pair(name));
    let dilation = layer.pair_or_ones("dilation");
    let count_include_pad =
        layer.arguments.get("count_include_pad").is_none() || layer.arguments.truth("count_include_pad");
    quote! {
        const GEOMETRY: ::cnn_core::kernel::geometry::Pool2dGeometry = ::cnn_core::kernel::geometry::Pool2dGeometry {
            channels: #channels,
            in_size: [#height, #width],
            kernel_size: #kernel_size,
            stride: #stride,
            padding: #padding,
            dilation: #dilation,
            ceil_mode: false,
            count_include_pad: #count_include_pad,
            layout: ::cnn_core::kernel::geometry::Layout::DENSE,
        };
    }
}

pub(crate) fn adaptive_pool2d(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    let out_size = layer.pair("output_size");
    quote! {
        const GEOMETRY: ::cnn_core::kernel::geometry::AdaptivePool2dGeometry =
            ::cnn_core::kernel::geometry::AdaptivePool2dGeometry {
                channels: #channels,
                in_size: [#height, #width],
                out_size: #out_size,
                layout: ::cnn_core::kernel::geometry::Layout::DENSE,
            };
    }
}

pub(crate) fn linear(layer: &Settled<'_>) -> TokenStream {
    let [in_features, ..] = layer.input.sizes();
    let out_features = layer.arguments.count("out_features");
    let (channels, bias_and_relu) = (&layer.flattened, layer.bias_and_relu());
    quote! {
        const GEOMETRY: ::cnn_core::kernel::geometry::LinearGeometry = ::cnn_core::kernel::geometry::LinearGeometry {
            in_features: #in_features,
            out_features: #out_features,
            layout: ::cnn_core::kernel::geometry::Layout::DENSE,
        };
        #bias_and_relu
        const CHANNELS: usize = #channels;
    }
}

pub(crate) fn flatten(layer: &Settled<'_>) -> TokenStream {
    let [channels, height, width] = layer.input.sizes();
    quote! {
        const CHANNELS: usize = #channels;
        const POSITIONS: usize = #height * #width;
    }
}

pub(crate) fn dropout(layer: &Settled<'_>) -> TokenStream {
    let p = Literal::f64_unsuffixed(layer.arguments.probability("p"));
    let len = layer.input.len();
    quote! {
        const P: f32 = #p;
        const LEN: usize = #len;
    }
}

pub(crate) fn softmax(layer: &Settled<'_>) -> TokenStream {
    let [channels, ..] = layer.input.sizes();
    quote!(const CHANNELS: usize = #channels;)
}

//! Networks at the edges, built and not only checked: the smallest maps under every layer with options at their extremes,
//! against the f64 reference, and the largest that memory could have, whose constants rustc has to come to an end with.

mod common;

use cnn_core::prelude::*;

/// These steps on maps of 1 to 3 cells and channels, for one sample and for two.
macro_rules! on_small_maps {
    ($($name:ident { $($steps:tt)* })*) => {$(
        mod $name {
            use super::*;

            network! {
                /// One value.
                Value<1, 1, 1> { $($steps)* }
                /// Two columns.
                Columns<1, 1, 2> { $($steps)* }
                /// Two rows of two channels.
                Rows<2, 2, 1> { $($steps)* }
                /// More rows than columns.
                High<3, 3, 2> { $($steps)* }
                /// Three columns of two channels.
                Flat<2, 1, 3> { $($steps)* }
                /// Three of all.
                Cube<3, 3, 3> { $($steps)* }
            }

            #[test]
            fn agrees_with_the_reference() -> Result<(), Error> {
                for samples in [1, 2] {
                    common::check::<Value>(samples, 3)?;
                    common::check::<Columns>(samples, 3)?;
                    common::check::<Rows>(samples, 3)?;
                    common::check::<High>(samples, 3)?;
                    common::check::<Flat>(samples, 3)?;
                    common::check::<Cube>(samples, 3)?;
                }
                Ok(())
            }
        }
    )*};
}

on_small_maps! {
    one_tap { conv2d<1, 1> }
    one_tap_far_apart { conv2d<2, 1>(stride = 9), conv2d<1, 1>(dilation = 1000, padding = 3) }
    two_taps_in_a_row { c: conv2d<1, (1, 2)>(padding = same) }
    even_windows { conv2d<2, 2>(padding = same), relu, conv2d<3, 4>(padding = same, dilation = 3) }
    one_to_one { a: conv2d<1, 3>(padding = 1), b: conv2d<1, 3>(padding = 1), c: conv2d<1, 3>(padding = 1) }
    windows_that_are_larger { conv2d<2, 7>(padding = 3), tanh, conv2d<9, (1, 5)>(padding = (0, 4)) }
    windows_on_padding_alone { conv2d<1, 2>(stride = 4, padding = 3), conv2d<2, 1>(padding = (0, 2, 0, 1)) }
    taps_that_are_far_apart { conv2d<2, 3>(padding = 3, dilation = 3), conv2d<2, 2>(padding = 5, dilation = 7, stride = 2) }
    many_channels { conv2d<17, 3>(padding = 1), relu, conv2d<33, 1>, relu6, conv2d<1, 3>(padding = 1, bias = false) }
    at_points { conv2d<2, 3>(padding = 3, algorithm = winograd), relu, conv2d<20, 3>(padding = (0, 2, 1, 3), algorithm = winograd) }
    strides_over_the_edge { conv2d<3, 3>(stride = 3, padding = (1, 2, 2, 1)), conv2d<16, 2>(stride = 5, padding = 1) }
    each_channel { conv2d<channels, 3>(groups = channels, padding = 1, stride = 2), relu }
    each_channel_twice { conv2d<{ 2 * channels }, 2>(groups = channels, padding = (2, 0, 0, 1)), conv2d<2, 1>(groups = 2) }
    one_tap_backwards { conv_transpose2d<2, 1>, conv_transpose2d<1, 1>(stride = 3, dilation = 5, output_padding = 4) }
    doubled { conv_transpose2d<3, 3>(stride = 2, padding = 1, output_padding = 1), relu }
    gained_by_dilation { conv_transpose2d<1, (1, 3)>(dilation = (1, 2), output_padding = (0, 1)) }
    gained_by_much { conv_transpose2d<17, 2>(dilation = 9, output_padding = 8), conv_transpose2d<1, 2>(stride = 9, output_padding = 8) }
    gained_in_joins { a: add { x: conv_transpose2d<2, 1>(dilation = 3, output_padding = 2), y: [zero_pad2d<(0, 2, 0, 2)>, conv2d<2, 1>] }, relu, b: concat { z: conv_transpose2d<1, 1>(dilation = 2, output_padding = 1), w: [zero_pad2d<(0, 1, 0, 1)>, conv_transpose2d<channels, 1>(groups = channels)] }, conv2d<1, 1> }
    each_channel_backwards { conv_transpose2d<channels, 2>(groups = channels, dilation = 3, stride = (1, 4), output_padding = (2, 3)) }
    nearly_all_taken { conv_transpose2d<2, 3>(padding = 1), conv_transpose2d<1, 4>(stride = 2, padding = (2, 1, 1, 2)) }
    maxima { max_pool2d<1>, max_pool2d<2>(padding = 1), max_pool2d<3>(padding = 1, stride = 1) }
    maxima_with_a_remainder { max_pool2d<3>(padding = 1, ceil_mode = true), max_pool2d<1>(stride = 7, ceil_mode = true) }
    maxima_far_apart { conv2d<2, 1>, zero_pad2d<2>, max_pool2d<3>(dilation = 2, padding = 1, stride = 1), max_pool2d<3>(padding = 1, stride = 9) }
    means { avg_pool2d<1>(stride = 4), avg_pool2d<2>(padding = 1, count_include_pad = false), avg_pool2d<3>(padding = 1) }
    means_with_a_remainder { avg_pool2d<3>(padding = 1, ceil_mode = true, divisor_override = 7), avg_pool2d<2>(padding = 1, ceil_mode = true) }
    more_means_than_cells { adaptive_avg_pool2d<5>, adaptive_avg_pool2d<(1, 3)> }
    more_maxima_than_cells { conv2d<2, 1>, adaptive_max_pool2d<(3, 1)>, adaptive_max_pool2d<2> }
    normalized { batch_norm2d, relu, batch_norm2d(affine = false, track_running_stats = true, momentum = none) }
    normalized_behind_a_convolution { conv2d<2, 1>(bias = false), batch_norm2d(eps = 0.5, momentum = 1), relu6 }
    neighbours { local_response_norm<1>(k = 0.5), local_response_norm<9>, local_response_norm<2>(beta = -0.5) }
    nearest { upsample(scale_factor = 3), upsample(size = (1, 2)), upsample(scale_factor = 1.5) }
    between { upsample(scale_factor = (1, 4), mode = bilinear), upsample(size = 1, mode = bilinear, align_corners = true) }
    corners { upsample(size = (5, 4), mode = bilinear, align_corners = true), upsample(scale_factor = 0.9, mode = bilinear) }
    borders { zero_pad2d<0>, zero_pad2d<(0, 3, 1, 0)>, conv2d<1, 1> }
    features { flatten, linear<1>, relu, linear<3>(bias = false), linear<17>, linear<1> }
    functions { conv2d<2, 1>, leaky_relu(negative_slope = -2), sigmoid, hardsigmoid, conv2d<1, 1>, hardswish, silu, gelu }
    slopes { prelu, conv2d<3, 1>, prelu(num_parameters = channels), flatten, log_softmax }
    positions { linear<2>(over = channels), layer_scale, linear<1>(over = channels, bias = false), drop_path(p = 1) }
    dropped { dropout(p = 0), dropout2d(p = 0), conv2d<1, 1>, dropout(p = 1), softmax }
    sums { a: add { conv2d<channels, 1>, [], [] }, relu, b: add { x: [conv2d<2, 1>, batch_norm2d], y: conv2d<2, 3>(padding = 1) } }
    products { multiply { [], [adaptive_avg_pool2d<1>, conv2d<channels, 1>, sigmoid] } }
    side_by_side { a: concat { x: conv2d<1, 1>, [], y: [conv2d<3, 3>(padding = 1), relu], max_pool2d<3>(stride = 1, padding = 1) }, conv2d<1, 1> }
}

network! {
    /// 2^55 columns: what a gradient's blocks of cells take is more than memory can have from 2^56 on.
    pub Row<1, 1, 36028797018963968> {
        conv2d<1, 1>, relu, conv2d<1, (1, 3)>(padding = (0, 1)), max_pool2d<(1, 2)>, conv_transpose2d<1, 1>,
        avg_pool2d<(1, 3)>(padding = (0, 1)), batch_norm2d, dropout, adaptive_avg_pool2d<1>,
    }
    /// As many rows.
    pub Column<1, 36028797018963968, 1> {
        conv2d<1, 1>, relu, conv2d<1, (3, 1)>(padding = (1, 0)), max_pool2d<(3, 1)>(ceil_mode = true), flatten, linear<8>,
    }
    /// 2^56 weights.
    pub Channels<268435456, 1, 1> { conv2d<268435456, 1>, batch_norm2d, prelu(num_parameters = channels), softmax }
    /// A filter for each of 2^50 channels.
    pub Depthwise<1125899906842624, 3, 3> { conv2d<channels, 3>(padding = 1, groups = channels), local_response_norm<1099511627776> }
    /// A window over a million taps that are a million cells apart.
    pub Taps<1, 1, 1> { conv2d<1, (1, 1048576)>(padding = (0, 549755813888), dilation = (1, 1048576)) }
    /// 2^26 channels, at 36 points.
    pub Filters<67108864, 4, 4> { conv2d<67108864, 3>(padding = 1), relu, conv2d<1, 3>(algorithm = winograd) }
    /// 2^46 tiles.
    pub Tiles<16, 33554432, 33554432> { conv2d<32, 3>(padding = 1), conv2d<16, 3>(algorithm = winograd) }
    /// Strides over half the map.
    pub Strides<1, 1, 1125899906842624> { conv2d<1, (1, 3)>(stride = (1, 562949953421312), padding = (0, 1)), flatten, linear<1> }
    /// A map that grows by whole maps.
    pub Grown<1, 3, 3> {
        conv_transpose2d<1, 2>(stride = 67108864, output_padding = 67108863), adaptive_max_pool2d<2>,
        conv_transpose2d<1, 2>(dilation = 67108864, output_padding = 67108863), max_pool2d<67108864>(stride = 1),
    }
    /// Sides as large as the types of numbers go, and one more.
    pub Types<1, 1048575, 1048577> {
        max_pool2d<3>(padding = 1, ceil_mode = true), conv2d<1, (7, 5)>(stride = (13, 1), padding = (3, 0, 1, 2), dilation = 3),
        conv_transpose2d<1, 3>(stride = (13, 3), padding = 1), avg_pool2d<1023>(stride = 21),
    }
    /// A map that is written larger.
    pub Written<1, 3, 3> {
        upsample(scale_factor = 33554432), max_pool2d<2>, zero_pad2d<1048576>, adaptive_avg_pool2d<16777216>,
        upsample(size = (1, 134217728), mode = bilinear),
    }
}

/// Nobody can run them: that all passes are built is the test.
fn built<N: Network>() -> [usize; 3] {
    if std::hint::black_box(false) {
        let (mut net, input, targets) = (N::new(0), Batch::zeros(1), Batch::zeros(1));
        let loss = Training::new(0).backward(Mode::Training, &mut net, &input, &MeanSquaredError::new(&targets));
        assert_eq!((loss.is_ok(), net.forward(&input).len()), (true, 1));
        net.freeze().predict_batch(&input, &mut Batch::zeros(1));
    }
    [N::PARAMETERS, N::MULTIPLY_ADDS, N::WORKSPACE_BYTES]
}

#[test]
fn the_largest_maps_are_built() {
    let costs = [
        built::<Row>(),
        built::<Column>(),
        built::<Channels>(),
        built::<Depthwise>(),
        built::<Taps>(),
        built::<Filters>(),
        built::<Tiles>(),
        built::<Strides>(),
        built::<Grown>(),
        built::<Types>(),
        built::<Written>(),
    ];
    assert_eq!(costs[2][0], (1 << 56) + (1 << 28) + (2 << 28) + (1 << 28));
    assert!(costs.iter().flatten().all(|cost| *cost < usize::MAX));
}

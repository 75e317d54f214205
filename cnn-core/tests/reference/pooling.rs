use cnn_core::kernel::geometry::{
    AdaptivePool2dGeometry, Conv2dAlgorithm, Conv2dGeometry, Layout, Padding, Pool2dGeometry,
};
use cnn_core::reference::{adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, conv2d, max_pool2d};
use proptest::prelude::*;

use super::{check, distinct, dot, map_size, pair, values};

fn pool2d_geometry(dilation: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = Pool2dGeometry> {
    let kernel_and_padding = || (1..=4usize).prop_flat_map(|kernel| (Just(kernel), 0..=kernel / 2));
    (
        1..=3usize,
        [kernel_and_padding(), kernel_and_padding()],
        pair(1..=3),
        pair(dilation),
        pair(0..=4),
        any::<[bool; 2]>(),
    )
        .prop_map(|(channels, [(kh, ph), (kw, pw)], stride, dilation, more, [ceil_mode, count_include_pad])| {
            Pool2dGeometry {
                channels,
                in_size: [map_size(kh, dilation[0], 2 * ph, more[0]), map_size(kw, dilation[1], 2 * pw, more[1])],
                kernel_size: [kh, kw],
                stride,
                padding: [ph, pw],
                dilation,
                ceil_mode,
                count_include_pad,
                divisor_override: None,
                layout: Layout::DENSE,
            }
        })
}

proptest! {
    #[test]
    fn max_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (pool2d_geometry(1..=2), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), distinct(n * geometry.in_len()), values(n * geometry.out_len()),
        ))
    ) {
        // A window on nothing but padding is minus infinity, which has no differences.
        prop_assume!(max_pool2d::forward(&geometry, &input).iter().all(|y| y.is_finite()));
        let grad_input = max_pool2d::backward(&geometry, &input, &grad_output);
        check("input", &grad_input, |input| dot(&max_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn avg_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (pool2d_geometry(1..=1), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()),
        ))
    ) {
        let grad_input = avg_pool2d::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&avg_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn an_average_is_a_convolution_with_equal_weights(
        (geometry, input) in (pool2d_geometry(1..=1), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), values(n * geometry.in_len()),
        ))
    ) {
        let geometry = Pool2dGeometry { ceil_mode: false, count_include_pad: true, ..geometry };
        let depthwise = Conv2dGeometry {
            in_channels: geometry.channels,
            in_size: geometry.in_size,
            out_channels: geometry.channels,
            kernel_size: geometry.kernel_size,
            stride: geometry.stride,
            padding: Padding::symmetric(geometry.padding),
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation: geometry.dilation,
            groups: geometry.channels, layout: Layout::DENSE };
        let share = 1.0 / (geometry.kernel_size[0] * geometry.kernel_size[1]) as f64;
        let expected = conv2d::forward(&depthwise, &input, &vec![share; depthwise.weight_len()], None);
        prop_assert_eq!(avg_pool2d::forward(&geometry, &input), expected);
    }

    #[test]
    fn adaptive_avg_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=3usize, pair(1..=6), pair(1..=6), 1..=2usize).prop_flat_map(
            |(channels, in_size, out_size, n)| {
                let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
                (Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()))
            },
        )
    ) {
        let grad_input = adaptive_avg_pool2d::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&adaptive_avg_pool2d::forward(&geometry, input), &grad_output), &input);
    }


    #[test]
    fn adaptive_max_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=3usize, pair(1..=6), pair(1..=6), 1..=2usize).prop_flat_map(
            |(channels, in_size, out_size, n)| {
                let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
                (Just(geometry), distinct(n * geometry.in_len()), values(n * geometry.out_len()))
            },
        )
    ) {
        let grad_input = adaptive_max_pool2d::backward(&geometry, &input, &grad_output);
        check("input", &grad_input, |input| dot(&adaptive_max_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn a_window_as_large_as_the_map_pools_as_adaptive_pooling_to_one_cell(
        (channels, in_size, input) in (1..=3usize, pair(1..=5), 1..=2usize).prop_flat_map(|(channels, in_size, n)| (
            Just(channels), Just(in_size), values(n * channels * in_size[0] * in_size[1]),
        ))
    ) {
        let adaptive = AdaptivePool2dGeometry { channels, in_size, out_size: [1, 1], layout: Layout::DENSE };
        let window = Pool2dGeometry {
            channels,
            in_size,
            kernel_size: in_size,
            stride: in_size,
            padding: [0, 0],
            dilation: [1, 1],
            ceil_mode: true,
            count_include_pad: true, divisor_override: None, layout: Layout::DENSE };
        prop_assert_eq!(adaptive_max_pool2d::forward(&adaptive, &input), max_pool2d::forward(&window, &input));
        prop_assert_eq!(adaptive_avg_pool2d::forward(&adaptive, &input), avg_pool2d::forward(&window, &input));
    }
}

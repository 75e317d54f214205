use cnn_core::kernel::geometry::{
    Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry, Layout, LinearGeometry, Padding,
};
use cnn_core::reference::{Gradients, conv_transpose2d, conv2d, linear};
use proptest::prelude::*;

use super::{check, dot, map_size, pair, values};

fn conv2d_geometry() -> impl Strategy<Value = Conv2dGeometry> {
    let channels = (1..=2usize, 1..=2usize, 1..=2usize);
    let padding = prop::array::uniform4(0..=2usize);
    (channels, pair(1..=3), pair(1..=3), padding, pair(1..=2), pair(0..=4)).prop_map(
        |((groups, group_ic, group_oc), kernel_size, stride, [top, bottom, left, right], dilation, more)| {
            Conv2dGeometry {
                in_channels: groups * group_ic,
                in_size: [
                    map_size(kernel_size[0], dilation[0], top + bottom, more[0]),
                    map_size(kernel_size[1], dilation[1], left + right, more[1]),
                ],
                out_channels: groups * group_oc,
                kernel_size,
                stride,
                padding: Padding { top, bottom, left, right },
                unread: [0, 0],
                algorithm: Conv2dAlgorithm::Auto,
                dilation,
                groups,
                layout: Layout::DENSE,
            }
        },
    )
}

/// The padding leaves something of the output.
fn conv_transpose2d_geometry() -> impl Strategy<Value = ConvTranspose2dGeometry> {
    let channels = (1..=2usize, 1..=2usize, 1..=2usize);
    let sizes = (pair(1..=3), pair(1..=3), pair(1..=3), pair(1..=2));
    (channels, sizes, prop::array::uniform4(0..=2usize), pair(0..=2)).prop_map(
        |((groups, group_ic, group_oc), (in_size, kernel_size, stride, dilation), padding, output_padding)| {
            let output_padding = [0, 1].map(|axis| output_padding[axis].min(stride[axis].max(dilation[axis]) - 1));
            let [top, bottom, left, right] = padding;
            let geometry = ConvTranspose2dGeometry {
                in_channels: groups * group_ic,
                in_size,
                out_channels: groups * group_oc,
                kernel_size,
                stride,
                padding: Padding::symmetric([0, 0]),
                output_padding,
                dilation,
                groups,
                layout: Layout::DENSE,
            };
            let [height, width] = geometry.out_size();
            let fits = [top + bottom < height, left + right < width];
            let [top, bottom] = if fits[0] { [top, bottom] } else { [0, 0] };
            let [left, right] = if fits[1] { [left, right] } else { [0, 0] };
            ConvTranspose2dGeometry { padding: Padding { top, bottom, left, right }, ..geometry }
        },
    )
}

proptest! {
    #[test]
    fn conv2d_backward_is_the_derivative_of_forward(
        (geometry, input, weight, bias, grad_output) in (conv2d_geometry(), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry),
            values(n * geometry.in_len()),
            values(geometry.weight_len()),
            values(geometry.out_channels),
            values(n * geometry.out_len()),
        ))
    ) {
        let gradients = conv2d::backward(&geometry, &input, &weight, &grad_output);
        let loss = |input: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&conv2d::forward(&geometry, input, weight, Some(bias)), &grad_output)
        };
        check("input", &gradients.input, |input| loss(input, &weight, &bias), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight, &bias), &weight);
        check("bias", &gradients.bias, |bias| loss(&input, &weight, bias), &bias);
    }

    #[test]
    fn conv_transpose2d_backward_is_the_derivative_of_forward(
        (geometry, input, weight, bias, grad_output) in (conv_transpose2d_geometry(), 1..=2usize).prop_flat_map(
            |(geometry, n)| (
                Just(geometry),
                values(n * geometry.in_len()),
                values(geometry.weight_len()),
                values(geometry.out_channels),
                values(n * geometry.out_len()),
            )
        )
    ) {
        let gradients = conv_transpose2d::backward(&geometry, &input, &weight, &grad_output);
        let loss = |input: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&conv_transpose2d::forward(&geometry, input, weight, Some(bias)), &grad_output)
        };
        check("input", &gradients.input, |input| loss(input, &weight, &bias), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight, &bias), &weight);
        check("bias", &gradients.bias, |bias| loss(&input, &weight, bias), &bias);
    }

    #[test]
    fn a_transposed_convolution_is_a_convolution_backwards(
        (geometry, input, weight, grad_output) in (conv_transpose2d_geometry(), 1..=2usize).prop_flat_map(
            |(geometry, n)| (
                Just(geometry),
                whole_numbers(n * geometry.in_len()),
                whole_numbers(geometry.weight_len()),
                whole_numbers(n * geometry.out_len()),
            )
        )
    ) {
        let convolution = geometry.convolution();
        prop_assert_eq!(convolution.weight_len(), geometry.weight_len());
        // Padding alone may leave an output on which the convolution's window does not fit.
        let [rows, columns] = geometry.padding.around();
        let padded = [convolution.in_size[0] + rows, convolution.in_size[1] + columns];
        let reach = [0, 1].map(|axis| geometry.dilation[axis] * (geometry.kernel_size[axis] - 1) + 1);
        prop_assert!(padded[0] >= reach[0] && padded[1] >= reach[1]);
        prop_assert_eq!(convolution.out_size(), geometry.in_size);

        let forward = conv2d::backward(&convolution, &grad_output, &weight, &input);
        prop_assert_eq!(conv_transpose2d::forward(&geometry, &input, &weight, None), forward.input);
        let Gradients { input: grad_input, weight: grad_weight, .. } =
            conv_transpose2d::backward(&geometry, &input, &weight, &grad_output);
        prop_assert_eq!(grad_input, conv2d::forward(&convolution, &grad_output, &weight, None));
        prop_assert_eq!(grad_weight, forward.weight);
    }

    #[test]
    fn a_1x1_convolution_of_one_pixel_is_a_linear_layer(
        (geometry, input, weight, bias) in (1..=4usize, 1..=4usize, 1..=3usize).prop_flat_map(|(i, o, n)| (
            Just(LinearGeometry { in_features: i, out_features: o, layout: Layout::DENSE }), values(n * i), values(i * o), values(o),
        ))
    ) {
        let as_conv2d = Conv2dGeometry {
            in_channels: geometry.in_features,
            in_size: [1, 1],
            out_channels: geometry.out_features,
            kernel_size: [1, 1],
            stride: [1, 1],
            padding: Padding::symmetric([0, 0]),
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1, layout: Layout::DENSE };
        let output = linear::forward(&geometry, &input, &weight, Some(&bias));
        prop_assert_eq!(&output, &conv2d::forward(&as_conv2d, &input, &weight, Some(&bias)));
        // Any values of the output's shape do as its gradient.
        let grad_output = output;
        let gradients = linear::backward(&geometry, &input, &weight, &grad_output);
        let expected = conv2d::backward(&as_conv2d, &input, &weight, &grad_output);
        prop_assert_eq!(gradients, expected);
    }
}

/// Their sums are exact in any order.
fn whole_numbers(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-10..=10).prop_map(f64::from), len)
}

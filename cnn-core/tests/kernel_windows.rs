//! A value only meets the weights of its window: an infinity or NaN in one cell of anything that a kernel takes reaches what
//! is reckoned from it, and leaves every bit of the rest, whatever the kernel pads, widens or shares out.
//!
//! The reference multiplies nothing else, so NaN in a cell of it shows what depends on the cell.

mod kernel;

use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::convolution::{self, Epilogue, conv_transpose2d, linear, packed};
use cnn_core::kernel::geometry::{
    AdaptivePool2dGeometry, Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry, Interpolation, Layout,
    LinearGeometry, LocalResponseNormGeometry, Pad2dGeometry, Padding, PaddingMode, Pool2dGeometry, Upsample2dGeometry,
};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::local_response_norm;
use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_core::kernel::pointwise::softmax;
use cnn_core::kernel::resampling::{pad2d, upsample};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{Write, pooling};
use cnn_core::reference;
use cnn_core::reference::multiply::{self, Branch};
use kernel::{Part, convolutions, everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// What is put where: in which of the operands, in which of its cells.
#[derive(Clone, Copy, Debug)]
struct Planted {
    operand: usize,
    place: usize,
    value: f32,
}

fn planted() -> impl Strategy<Value = Planted> {
    let value = prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::NAN)];
    (any::<usize>(), any::<usize>(), value).prop_map(|(operand, place, value)| Planted { operand, place, value })
}

/// The results of whole numbers, and where they are not finite, `f64` and `f32` say the same.
fn as_found(found: f32, expected: f64) -> bool {
    found.is_nan() && expected.is_nan() || f64::from(found) == expected
}

/// Runs a kernel with whole numbers in its operands and with one of them planted, on every instruction set, beside the
/// reference. Of `exact` results all are as in the reference.
fn check(
    lens: &[usize],
    planted: Planted,
    exact: bool,
    kernel: impl Fn(&[Vec<f32>]) -> Vec<f32> + Sync,
    reference: impl Fn(&[Vec<f64>]) -> Vec<f64>,
) {
    let clean: Vec<Vec<f32>> = lens.iter().zip(1..).map(|(len, salt)| whole_numbers(*len, salt)).collect();
    let with = |value: f32| {
        let mut operands = clean.clone();
        let operand = &mut operands[planted.operand % lens.len()];
        let place = planted.place % operand.len();
        operand[place] = value;
        operands
    };
    let [marked, expected] = [f32::NAN, planted.value].map(|value| {
        let operands: Vec<Vec<f64>> = with(value).iter().map(|operand| wide(operand)).collect();
        reference(&operands)
    });
    let dirty = with(planted.value);
    everywhere(false, || {
        let (before, after) = (kernel(&clean), kernel(&dirty));
        assert_eq!(after.len(), expected.len());
        for (index, (before, after)) in before.iter().zip(&after).enumerate() {
            if !marked[index].is_nan() {
                assert_eq!(before.to_bits(), after.to_bits(), "{index}: was {before}, is {after}");
            } else if !expected[index].is_finite() || exact {
                assert!(as_found(*after, expected[index]), "{index}: {after}, expected {}", expected[index]);
            }
        }
        Vec::new()
    });
}

/// Output, and all gradients.
fn convolve(geometry: &Conv2dGeometry, [in_extra, out_extra]: [usize; 2], operands: &[Vec<f32>]) -> Vec<f32> {
    let [ic, oc] = [geometry.in_channels, geometry.out_channels];
    let (in_len, out_len) = (operands[0].len(), operands[3].len());
    let geometry = &geometry.strided(ic + in_extra, oc + out_extra);
    let [weight, bias] = [&operands[1], &operands[2]];
    let (input, grad_output) = (Part::new(&operands[0], ic, in_extra), Part::new(&operands[3], oc, out_extra));
    let mut scratch = Scratch::default();
    let [mut output, mut again] = [0, 1].map(|_| Part::new(&vec![f32::NAN; out_len], oc, out_extra));
    let epilogue = Epilogue { bias: Some(bias), ..Epilogue::default() };
    convolution::forward(geometry, epilogue, input.slice(), weight, output.slice_mut(), &mut scratch);
    let mut packed_weight = vec![f32::NAN; packed::packed_len(geometry)];
    packed::pack(geometry, MadeFor::OneSample, weight, Some(bias), &mut packed_weight);
    packed::forward(geometry, Epilogue::default(), input.slice(), &packed_weight, again.slice_mut(), &mut scratch);
    let bits = |part: &Part| part.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&output), bits(&again), "with a packed weight");
    let mut grad_input = Part::new(&vec![f32::NAN; in_len], ic, in_extra);
    let (dy, dx) = (grad_output.slice(), grad_input.slice_mut());
    convolution::backward_input(geometry, weight, dy, dx, Write::Store, &mut scratch);
    let (mut grad_weight, mut grad_bias) = (vec![f32::NAN; weight.len()], vec![f32::NAN; bias.len()]);
    let of_bias = Some(&mut grad_bias[..]);
    convolution::backward_weight(geometry, input.slice(), dy, &mut grad_weight, of_bias, &mut scratch);
    [output.values(), grad_input.values(), grad_weight, grad_bias].concat()
}

fn check_convolution(batch: usize, geometry: Conv2dGeometry, extra: [usize; 2], planted: Planted) {
    let lens = [batch * geometry.in_len(), geometry.weight_len(), geometry.out_channels, batch * geometry.out_len()];
    let kernel = |operands: &[Vec<f32>]| convolve(&geometry, extra, operands);
    check(&lens, planted, true, kernel, |operands| {
        let [input, weight, bias, grad_output] = [0, 1, 2, 3].map(|operand: usize| &operands[operand]);
        let output = reference::conv2d::forward(&geometry, input, weight, Some(bias));
        let gradients = reference::conv2d::backward(&geometry, input, weight, grad_output);
        [output, gradients.input, gradients.weight, gradients.bias].concat()
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn in_convolutions(
        batch in 1..=4usize,
        geometry in convolutions::geometry(7),
        extra in prop_oneof![Just([0, 0]), Just([3, 5])],
        planted in planted(),
    ) {
        check_convolution(batch, geometry, extra, planted);
    }

    #[test]
    fn in_depthwise_convolutions(
        batch in 1..=2usize,
        geometry in convolutions::geometry(1),
        channels in 2..=70usize,
        planted in planted(),
    ) {
        let geometry = Conv2dGeometry { in_channels: channels, out_channels: channels, groups: channels, ..geometry };
        check_convolution(batch, geometry, [0, 0], planted);
    }

    #[test]
    fn in_transposed_convolutions(
        batch in 1..=2usize,
        [groups, ic, oc] in [1..=3usize, 1..=20usize, 1..=5usize],
        in_size in [1..=5usize, 1..=5usize],
        kernel_size in [1..=4usize, 1..=4usize],
        stride in [1..=3usize, 1..=3usize],
        dilation in [1..=2usize, 1..=2usize],
        [top, bottom, left, right] in [0..=2usize, 0..=2usize, 0..=2usize, 0..=2usize],
        planted in planted(),
    ) {
        let span = [0, 1].map(|axis| (in_size[axis] - 1) * stride[axis] + (kernel_size[axis] - 1) * dilation[axis]);
        prop_assume!(span[0] >= top + bottom && span[1] >= left + right);
        let geometry = ConvTranspose2dGeometry {
            in_channels: groups * ic,
            in_size,
            out_channels: groups * oc,
            kernel_size,
            stride,
            padding: Padding { top, bottom, left, right },
            output_padding: [0, 0],
            dilation,
            groups,
            layout: Layout::DENSE,
        };
        let lens = [batch * geometry.in_len(), geometry.weight_len(), groups * oc, batch * geometry.out_len()];
        check(
            &lens,
            planted,
            true,
            |operands| {
                let [input, weight, bias, grad_output] = [0, 1, 2, 3].map(|operand: usize| &operands[operand]);
                let mut scratch = Scratch::default();
                let [mut output, mut grad_input, mut grad_weight, mut grad_bias] =
                    [grad_output, input, weight, bias].map(|like| vec![f32::NAN; like.len()]);
                let epilogue = Epilogue { bias: Some(bias), ..Epilogue::default() };
                conv_transpose2d::forward(&geometry, epilogue, input, weight, &mut output, &mut scratch);
                let dx = &mut grad_input;
                conv_transpose2d::backward_input(&geometry, weight, grad_output, dx, Write::Store, &mut scratch);
                let of_bias = Some(&mut grad_bias[..]);
                let dw = &mut grad_weight;
                conv_transpose2d::backward_weight(&geometry, input, grad_output, dw, of_bias, &mut scratch);
                [output, grad_input, grad_weight, grad_bias].concat()
            },
            |operands| {
                let [input, weight, bias, grad_output] = [0, 1, 2, 3].map(|operand: usize| &operands[operand]);
                let output = reference::conv_transpose2d::forward(&geometry, input, weight, Some(bias));
                let gradients = reference::conv_transpose2d::backward(&geometry, input, weight, grad_output);
                [output, gradients.input, gradients.weight, gradients.bias].concat()
            },
        );
    }

    #[test]
    fn in_linear_layers(batch in 1..=9usize, [from, to] in [1..=40usize, 1..=40usize], planted in planted()) {
        let geometry = LinearGeometry { in_features: from, out_features: to, layout: Layout::DENSE };
        check(
            &[batch * from, from * to, batch * to],
            planted,
            true,
            |operands| {
                let [input, weight, grad_output] = [0, 1, 2].map(|operand: usize| &operands[operand]);
                let mut scratch = Scratch::default();
                let [mut output, mut grad_input, mut grad_weight] =
                    [grad_output, input, weight].map(|like| vec![f32::NAN; like.len()]);
                linear::forward(&geometry, Epilogue::default(), input, weight, &mut output, &mut scratch);
                let dx = &mut grad_input;
                linear::backward_input(&geometry, weight, grad_output, dx, Write::Store, &mut scratch);
                linear::backward_weight(&geometry, input, grad_output, &mut grad_weight, None, &mut scratch);
                [output, grad_input, grad_weight].concat()
            },
            |operands| {
                let [input, weight, grad_output] = [0, 1, 2].map(|operand: usize| &operands[operand]);
                let output = reference::linear::forward(&geometry, input, weight, None);
                let gradients = reference::linear::backward(&geometry, input, weight, grad_output);
                [output, gradients.input, gradients.weight].concat()
            },
        );
    }

    #[test]
    fn in_poolings(
        channels in 1..=20usize,
        axes in [(1..=4usize, 1..=4usize, 0..=2usize, 0..=6usize), (1..=4usize, 1..=4usize, 0..=2usize, 0..=6usize)],
        ceil_mode in any::<bool>(),
        planted in planted(),
    ) {
        let axes = axes.map(|(kernel, stride, padding, extra)| (kernel + extra, kernel, stride, padding.min(kernel / 2)));
        let geometry = Pool2dGeometry {
            channels,
            in_size: axes.map(|axis| axis.0),
            kernel_size: axes.map(|axis| axis.1),
            stride: axes.map(|axis| axis.2),
            padding: axes.map(|axis| axis.3),
            dilation: [1, 1],
            ceil_mode,
            count_include_pad: true,
            divisor_override: None,
            layout: Layout::DENSE,
        };
        let lens = [2 * geometry.in_len(), 2 * geometry.out_len()];
        check(&lens, planted, false, |operands| {
            let [mut output, mut grad_input] = [1, 0].map(|like: usize| vec![f32::NAN; operands[like].len()]);
            pooling::average_forward(&geometry, &operands[0], &mut output);
            pooling::average_backward(&geometry, &operands[1], &mut grad_input, Write::Store);
            [output, grad_input].concat()
        }, |operands| {
            let output = reference::avg_pool2d::forward(&geometry, &operands[0]);
            [output, reference::avg_pool2d::backward(&geometry, &operands[1])].concat()
        });
        check(&lens[..1], planted, true, |operands| {
            let mut output = vec![f32::NAN; lens[1]];
            pooling::max_forward(&geometry, &operands[0], &mut output);
            output
        }, |operands| reference::max_pool2d::forward(&geometry, &operands[0]));
        // Where the values are finite: which cell wins depends on them.
        let input = whole_numbers(lens[0], 7);
        check(&lens[1..], planted, true, |operands| {
            let (mut output, mut grad_input) = (vec![f32::NAN; lens[1]], vec![f32::NAN; lens[0]]);
            pooling::max_forward(&geometry, &input, &mut output);
            pooling::max_backward(&geometry, &input, &output, &operands[0], &mut grad_input, Write::Store);
            grad_input
        }, |operands| reference::max_pool2d::backward(&geometry, &wide(&input), &operands[0]));
    }

    #[test]
    fn in_adaptive_poolings(
        channels in 1..=20usize,
        in_size in [1..=9usize, 1..=9usize],
        out_size in [1..=9usize, 1..=9usize],
        planted in planted(),
    ) {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        let lens = [2 * geometry.in_len(), 2 * geometry.out_len()];
        check(&lens, planted, false, |operands| {
            let [mut output, mut grad_input] = [1, 0].map(|like: usize| vec![f32::NAN; operands[like].len()]);
            pooling::adaptive_average_forward(&geometry, &operands[0], &mut output);
            pooling::adaptive_average_backward(&geometry, &operands[1], &mut grad_input, Write::Store);
            [output, grad_input].concat()
        }, |operands| {
            let output = reference::adaptive_avg_pool2d::forward(&geometry, &operands[0]);
            [output, reference::adaptive_avg_pool2d::backward(&geometry, &operands[1])].concat()
        });
        check(&lens[..1], planted, true, |operands| {
            let mut output = vec![f32::NAN; lens[1]];
            pooling::adaptive_max_forward(&geometry, &operands[0], &mut output);
            output
        }, |operands| reference::adaptive_max_pool2d::forward(&geometry, &operands[0]));
    }

    #[test]
    fn in_resampled_maps(
        channels in 1..=20usize,
        in_size in [1..=7usize, 1..=7usize],
        out_size in [1..=15usize, 1..=15usize],
        mode in 0..3usize,
        planted in planted(),
    ) {
        let interpolation = match mode {
            0 => Interpolation::Nearest,
            _ => Interpolation::Bilinear { align_corners: mode == 1 },
        };
        let geometry =
            Upsample2dGeometry { channels, in_size, out_size, scale_factor: None, interpolation, layout: Layout::DENSE };
        let lens = [2 * geometry.in_len(), 2 * geometry.out_len()];
        check(&lens, planted, false, |operands| {
            let [mut output, mut grad_input] = [1, 0].map(|like: usize| vec![f32::NAN; operands[like].len()]);
            upsample::forward(&geometry, &operands[0], &mut output);
            upsample::backward(&geometry, &operands[1], &mut grad_input, Write::Store);
            [output, grad_input].concat()
        }, |operands| {
            let output = reference::upsample::forward(&geometry, &operands[0]);
            [output, reference::upsample::backward(&geometry, &operands[1])].concat()
        });
        let padding = Padding { top: 1, bottom: 0, left: 2, right: 1 };
        let geometry = Pad2dGeometry { channels, in_size, padding, mode: PaddingMode::ZEROS, layout: Layout::DENSE };
        check(&[2 * geometry.in_len(), 2 * geometry.out_len()], planted, true, |operands| {
            let [mut output, mut grad_input] = [1, 0].map(|like: usize| vec![f32::NAN; operands[like].len()]);
            pad2d::forward(&geometry, &operands[0], &mut output);
            pad2d::backward(&geometry, &operands[1], &mut grad_input, Write::Store);
            [output, grad_input].concat()
        }, |operands| {
            let output = reference::pad2d::forward(&geometry, &operands[0]);
            [output, reference::pad2d::backward(&geometry, &operands[1])].concat()
        });
    }

    #[test]
    fn in_the_channels_around_a_value(
        rows in 1..=9usize,
        channels in 1..=40usize,
        size in 1..=9usize,
        planted in planted(),
    ) {
        let geometry = LocalResponseNormGeometry::new(channels, size);
        let len = rows * channels;
        check(&[len, len], planted, false, |operands| {
            let (mut output, mut grad_input) = (vec![f32::NAN; len], vec![f32::NAN; len]);
            let mut scratch = Scratch::default();
            local_response_norm::forward(&geometry, &operands[0], &mut output, &mut scratch);
            let dx = &mut grad_input;
            local_response_norm::backward(&geometry, &operands[0], &operands[1], dx, Write::Store, &mut scratch);
            [output, grad_input].concat()
        }, |operands| {
            let output = reference::local_response_norm::forward(&geometry, &operands[0]);
            [output, reference::local_response_norm::backward(&geometry, &operands[0], &operands[1])].concat()
        });
    }

    #[test]
    fn in_the_row_of_a_softmax(rows in 1..=9usize, channels in 1..=40usize, planted in planted()) {
        let len = rows * channels;
        for logarithm in [false, true] {
            check(&[len], planted, false, |operands| {
                let mut output = vec![f32::NAN; len];
                let forward = if logarithm { softmax::log_forward } else { softmax::forward };
                forward(channels, Rows::dense(&operands[0]), RowsMut::dense(&mut output));
                output
            }, |operands| {
                let forward = if logarithm { reference::log_softmax::forward } else { reference::softmax::forward };
                forward(channels, &operands[0])
            });
        }
    }

    #[test]
    fn in_what_a_gate_opens(samples in 1..=3usize, cells in 1..=9usize, channels in 1..=40usize, planted in planted()) {
        let len = samples * cells * channels;
        check(&[len, samples * channels, len], planted, true, |operands| {
            let [map, gate, grad] = [0, 1, 2].map(|operand: usize| &operands[operand]);
            let [mut output, mut grad_map, mut grad_gate] = [map, map, gate].map(|like| vec![f32::NAN; like.len()]);
            let geometry = Gate { channels, cells };
            join::gate(geometry, Rows::dense(map), gate, RowsMut::dense(&mut output), Write::Store);
            join::gate(geometry, Rows::dense(grad), gate, RowsMut::dense(&mut grad_map), Write::Store);
            join::gate_backward(geometry, Rows::dense(map), Rows::dense(grad), &mut grad_gate, Write::Store);
            [output, grad_map, grad_gate].concat()
        }, |operands| {
            let [map, gate, grad] = [0, 1, 2].map(|operand: usize| &operands[operand]);
            let branches = [Branch { positions: cells, values: map }, Branch { positions: 1, values: gate }];
            let output = multiply::forward(channels, &branches);
            [output, multiply::backward(channels, &branches, grad).concat()].concat()
        });
    }
}

/// PyTorch's results, with and without mkldnn: `conv2d([[[inf, 0, 0]]], ones(c, 1, 1, 3), padding = (0, 1))`.
#[test]
fn an_infinity_stays_in_its_windows_however_few_the_channels() {
    for out_channels in 1..=9 {
        let geometry = Conv2dGeometry {
            in_channels: 1,
            in_size: [1, 12],
            out_channels,
            kernel_size: [1, 3],
            stride: [1, 1],
            padding: Padding::symmetric([0, 1]),
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: Layout::DENSE,
        };
        // Finite samples around it: the bits of a sample are the same in every batch.
        let mut input = vec![0.0; 3 * 12];
        input[12] = f32::INFINITY;
        let output = everywhere(true, || {
            let mut output = vec![f32::NAN; 3 * 12 * out_channels];
            let weight = vec![1.0; geometry.weight_len()];
            convolution::forward(&geometry, Epilogue::default(), &input, &weight, &mut output, &mut Scratch::default());
            output
        });
        let mut expected = vec![0.0; output.len()];
        expected[12 * out_channels..14 * out_channels].fill(f32::INFINITY);
        assert_eq!(output, expected);
    }
}

//! Transposed convolution against the reference: exact on whole numbers, in maps that are parts of wider ones.

mod kernel;

use cnn_core::kernel::convolution::Epilogue;
use cnn_core::kernel::convolution::conv_transpose2d;
use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::geometry::{ConvTranspose2dGeometry, Layout, Padding};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::reference;
use kernel::{Part, everywhere, whole_numbers, wide};
use proptest::prelude::*;

fn check(batch: usize, geometry: ConvTranspose2dGeometry) {
    let [ic, oc] = [geometry.in_channels, geometry.out_channels];
    let input = whole_numbers(batch * geometry.in_len(), 1);
    let weight = whole_numbers(geometry.weight_len(), 2);
    let bias = whole_numbers(oc, 3);
    let grad_output = whole_numbers(batch * geometry.out_len(), 4);

    let output = reference::conv_transpose2d::forward(&geometry, &wide(&input), &wide(&weight), Some(&wide(&bias)));
    let gradients =
        reference::conv_transpose2d::backward(&geometry, &wide(&input), &wide(&weight), &wide(&grad_output));
    let output: Vec<f64> = output.iter().map(|value| value.max(0.0)).collect();
    let expected = [output, gradients.input, gradients.weight, gradients.bias].concat();

    for [in_extra, out_extra] in [[0, 0], [3, 0], [0, 5], [20, 13]] {
        let geometry = &geometry.strided(ic + in_extra, oc + out_extra);
        let (x, dy) = (Part::new(&input, ic, in_extra), Part::new(&grad_output, oc, out_extra));
        let found = everywhere(true, || {
            let mut scratch = Scratch::default();
            let mut output = Part::new(&vec![f32::NAN; grad_output.len()], oc, out_extra);
            let mut grad_input = Part::new(&vec![f32::NAN; input.len()], ic, in_extra);
            let (mut grad_weight, mut grad_bias) = (vec![f32::NAN; weight.len()], vec![f32::NAN; oc]);
            let epilogue = Epilogue { bias: Some(&bias), fused: FusedActivation::Relu, ..Epilogue::default() };
            conv_transpose2d::forward(geometry, epilogue, x.slice(), &weight, output.slice_mut(), &mut scratch);
            let mut packed = vec![f32::NAN; conv_transpose2d::packed_len(geometry)];
            conv_transpose2d::pack(geometry, MadeFor::OneSample, &weight, Some(&bias), &mut packed);
            let mut again = Part::new(&vec![f32::NAN; grad_output.len()], oc, out_extra);
            let without_bias = Epilogue { bias: None, ..epilogue };
            conv_transpose2d::forward_packed(
                geometry,
                without_bias,
                x.slice(),
                &packed,
                again.slice_mut(),
                &mut scratch,
            );
            assert_eq!(output.values(), again.values(), "with a packed weight");
            let (dy, dx) = (dy.slice(), grad_input.slice_mut());
            conv_transpose2d::backward_input(geometry, &weight, dy, dx, Write::Store, &mut scratch);
            let bias = Some(&mut grad_bias[..]);
            conv_transpose2d::backward_weight(geometry, x.slice(), dy, &mut grad_weight, bias, &mut scratch);
            [output.values(), grad_input.values(), grad_weight, grad_bias].concat()
        });
        assert_eq!(wide(&found), expected, "other channels {in_extra} and {out_extra}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_the_reference(
        batch in 1..=2usize,
        [groups, ic, oc] in [1..=3usize, 1..=5usize, 1..=5usize],
        in_size in [1..=5usize, 1..=5usize],
        kernel_size in [1..=4usize, 1..=4usize],
        stride in [1..=3usize, 1..=3usize],
        dilation in [1..=4usize, 1..=4usize],
        [top, bottom, left, right] in [0..=2usize, 0..=2usize, 0..=2usize, 0..=2usize],
        output_padding in [0..=3usize, 0..=3usize],
    ) {
        let span = [0, 1].map(|axis| (in_size[axis] - 1) * stride[axis] + (kernel_size[axis] - 1) * dilation[axis]);
        prop_assume!(span[0] >= top + bottom && span[1] >= left + right);
        check(batch, ConvTranspose2dGeometry {
            in_channels: groups * ic,
            in_size,
            out_channels: groups * oc,
            kernel_size,
            stride,
            padding: Padding { top, bottom, left, right },
            output_padding: [0, 1].map(|axis| output_padding[axis].min(stride[axis].max(dilation[axis]) - 1)),
            dilation,
            groups,
            layout: Layout::DENSE,
        });
    }
}

/// Less than the dilation suffices, even if that is strides more than the filters make: rows with the bias alone.
#[test]
fn what_is_gained_may_be_more_than_a_stride() {
    let gaining = ConvTranspose2dGeometry {
        in_channels: 3,
        in_size: [4, 5],
        out_channels: 2,
        kernel_size: [1, 3],
        stride: [1, 2],
        padding: Padding::symmetric([0, 1]),
        output_padding: [6, 6],
        dilation: [7, 8],
        groups: 1,
        layout: Layout::DENSE,
    };
    check(2, gaining);
    // One tap, whose phase has more cells than the input.
    check(3, ConvTranspose2dGeometry { kernel_size: [1, 1], stride: [2, 3], ..gaining });
    check(1, ConvTranspose2dGeometry { kernel_size: [1, 1], padding: Padding::symmetric([0, 0]), ..gaining });
    // Scattered, in the width of the map; by many channels; by each channel; in groups.
    let wide = ConvTranspose2dGeometry { kernel_size: [3, 5], stride: [3, 2], dilation: [9, 1], ..gaining };
    check(2, ConvTranspose2dGeometry { in_channels: 40, output_padding: [8, 1], ..wide });
    check(2, ConvTranspose2dGeometry { in_channels: 33, out_channels: 34, ..gaining });
    check(2, ConvTranspose2dGeometry { in_channels: 18, out_channels: 18, groups: 18, ..gaining });
    check(2, ConvTranspose2dGeometry { in_channels: 6, out_channels: 4, groups: 2, ..gaining });
}

#[test]
fn few_channels_are_scattered_and_many_are_not() {
    let doubling = ConvTranspose2dGeometry {
        in_channels: 40,
        in_size: [9, 8],
        out_channels: 3,
        kernel_size: [5, 5],
        stride: [2, 2],
        padding: Padding::symmetric([2, 2]),
        output_padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };
    check(3, doubling);
    check(1, ConvTranspose2dGeometry { in_channels: 20, out_channels: 36, kernel_size: [2, 2], ..doubling });
    check(2, ConvTranspose2dGeometry { in_channels: 30, out_channels: 30, groups: 30, ..doubling });
}

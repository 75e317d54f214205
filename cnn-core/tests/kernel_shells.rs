//! Geometries are plain numbers that anyone may write: what no memory holds is refused before a loop trusts it.

use cnn_core::kernel::convolution::conv_transpose2d;
use cnn_core::kernel::convolution::packed::{self, MadeFor};
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{
    AdaptivePool2dGeometry, BatchNorm2dGeometry, Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry,
    GroupNormGeometry, Layout, LocalResponseNormGeometry, MatmulGeometry, Pad2dGeometry, Padding, PaddingMode,
    Pool2dGeometry, RearrangementGeometry,
};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{self, Statistics};
use cnn_core::kernel::normalization::group_norm::{self, Affine, AffineGradients};
use cnn_core::kernel::normalization::local_response_norm;
use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_core::kernel::pointwise::{prelu, softmax};
use cnn_core::kernel::pooling;
use cnn_core::kernel::product::matmul;
use cnn_core::kernel::resampling::{pad2d, rearrange};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};

/// Half of all numbers: twice of it is nothing, in a program without checks of overflow.
const HALF: usize = 1 << (usize::BITS - 1);
/// More than any memory or patience has, and less than what overflows.
const MUCH: usize = 1 << 40;

/// Three channels, each with a filter of its own.
const DEPTHWISE: Conv2dGeometry = Conv2dGeometry {
    in_channels: 3,
    in_size: [4, 4],
    out_channels: 3,
    kernel_size: [3, 3],
    stride: [1, 1],
    padding: Padding::symmetric([1, 1]),
    unread: [0, 0],
    algorithm: Conv2dAlgorithm::Auto,
    dilation: [1, 1],
    groups: 3,
    layout: Layout::DENSE,
};

const POOL: Pool2dGeometry = Pool2dGeometry {
    channels: 1,
    in_size: [4, 4],
    kernel_size: [2, 2],
    stride: [2, 2],
    padding: [0, 0],
    dilation: [1, 1],
    ceil_mode: false,
    count_include_pad: true,
    divisor_override: None,
    layout: Layout::DENSE,
};

/// On one channel's 4 x 4 cells for each group, and as many filters of 3 x 3.
fn convolve(geometry: Conv2dGeometry) {
    let (cells, mut scratch) = (16 * geometry.groups, Scratch::default());
    let weight = vec![1.0; 9 * geometry.groups];
    convolution::forward(
        &geometry,
        Epilogue::default(),
        &vec![1.0; cells],
        &weight,
        &mut vec![0.0; cells],
        &mut scratch,
    );
}

#[test]
fn the_sound_ones_pass() {
    convolve(DEPTHWISE);
    pooling::max_forward(&POOL, &[1.0; 16], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "a window has taps, and they are apart")]
fn taps_that_lie_on_one_another() {
    convolve(Conv2dGeometry { dilation: [0, 0], padding: Padding::symmetric([0, 0]), ..DEPTHWISE });
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn taps_that_are_apart_by_all_memory() {
    convolve(Conv2dGeometry { dilation: [HALF, HALF], ..DEPTHWISE });
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn padding_that_overflows_to_little() {
    let padding = Padding { top: HALF + 1, bottom: HALF + 1, left: 1, right: 1 };
    convolve(Conv2dGeometry { padding, ..DEPTHWISE });
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn filters_that_overflow_to_none() {
    let size = 1 << (usize::BITS / 2);
    let geometry = Conv2dGeometry { kernel_size: [size, size], ..DEPTHWISE };
    let mut output = [0.0; 3];
    convolution::forward(&geometry, Epilogue::default(), &[1.0; 48], &[], &mut output, &mut Scratch::default());
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn padding_of_a_pooling_that_overflows_to_none() {
    pooling::max_forward(&Pool2dGeometry { padding: [HALF, HALF], ..POOL }, &[1.0; 16], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "the map has more cells than memory can have")]
fn a_map_that_overflows_to_little() {
    let geometry =
        AdaptivePool2dGeometry { channels: 1, in_size: [HALF + 1, 2], out_size: [1, 1], layout: Layout::DENSE };
    pooling::adaptive_average_forward(&geometry, &[1.0; 2], &mut [0.0]);
}

#[test]
#[should_panic(expected = "a mean has a channel at least")]
fn a_mean_of_no_channels() {
    let geometry = LocalResponseNormGeometry::new(3, 0);
    let (mut grad_input, mut scratch) = ([0.0; 3], Scratch::default());
    local_response_norm::backward(&geometry, &[1.0; 3], &[1.0; 3], &mut grad_input, Write::Store, &mut scratch);
}

#[test]
fn a_mean_over_more_channels_than_memory_has_is_one_over_all() {
    for size in [MUCH, usize::MAX - 16, usize::MAX] {
        let geometry =
            LocalResponseNormGeometry { alpha: size as f64, beta: 0.5, ..LocalResponseNormGeometry::new(3, size) };
        let (mut output, mut grad_input, mut scratch) = ([0.0; 3], [0.0; 3], Scratch::default());
        // 1 + 4 + 4 + 16 in all three means, whose root is 5.
        local_response_norm::forward(&geometry, &[2.0, 2.0, 4.0], &mut output, &mut scratch);
        assert_eq!(output, [2.0 / 5.0, 2.0 / 5.0, 4.0 / 5.0]);
        let (input, grad_output) = (&[2.0, 2.0, 4.0], &[125.0, 0.0, 0.0]);
        local_response_norm::backward(&geometry, input, grad_output, &mut grad_input, Write::Store, &mut scratch);
        // 125 (1/5 - 2 * 2/125), and -125 * 2 x / 125.
        assert_eq!(grad_input, [21.0, -4.0, -8.0]);
    }
}

#[test]
#[should_panic(expected = "a gate has a value for each sample and channel")]
fn a_gate_whose_cells_overflow_to_few() {
    let (map, mut grad) = ([1.0; 8], [0.0; 4]);
    let gate = Gate { channels: 2, cells: HALF + 2 };
    join::gate_backward(gate, Rows::dense(&map), Rows::dense(&map), &mut grad, Write::Store);
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn padding_around_a_map_that_overflows_to_little() {
    let padding = Padding { top: 3, bottom: 3, left: 0, right: 0 };
    let geometry = Pad2dGeometry {
        channels: 1,
        in_size: [usize::MAX - 4, 1],
        padding,
        mode: PaddingMode::ZEROS,
        layout: Layout::DENSE,
    };
    pad2d::forward(&geometry, &[], &mut []);
}

#[test]
#[should_panic(expected = "groups share out the filters")]
fn a_convolution_to_no_channels_needs_no_counting() {
    let geometry = Conv2dGeometry { out_channels: 0, in_size: [1, MUCH], in_channels: 1, groups: 1, ..DEPTHWISE };
    let _ = geometry.needs();
}

#[test]
#[should_panic(expected = "groups share out the channels of the input")]
fn groups_that_leave_channels_over() {
    let geometry = Conv2dGeometry { in_channels: 5, out_channels: 4, groups: 2, ..DEPTHWISE };
    packed::pack(&geometry, MadeFor::OneSample, &[1.0; 2 * 4 * 9], None, &mut []);
}

#[test]
#[should_panic(expected = "a mean and a deviation for each channel")]
fn a_normalization_without_statistics_allocates_nothing() {
    let (geometry, statistics) = (BatchNorm2dGeometry::new(MUCH), Statistics { mean: &[], variance: &[] });
    let (fused, mut scratch) = (FusedActivation::None, Scratch::default());
    batch_norm2d::forward_evaluation(&geometry, statistics, None, fused, &[], &mut [], &mut scratch);
}

#[test]
#[should_panic(expected = "as many weights as the geometry says")]
fn a_normalization_without_weights_allocates_nothing() {
    let (geometry, mut scratch) = (GroupNormGeometry::new(MUCH, [1, 1], 1), Scratch::default());
    let affine = Affine { weight: Some(&[1.0]), bias: None };
    group_norm::forward(&geometry, affine, FusedActivation::None, &[], &mut [], &mut scratch);
}

#[test]
#[should_panic(expected = "groups divide the channels")]
fn groups_of_a_part_of_a_channel() {
    let (geometry, mut scratch) = (GroupNormGeometry::new(5, [2, 2], 2), Scratch::default());
    group_norm::forward(&geometry, Affine::default(), FusedActivation::None, &[0.0; 20], &mut [0.0; 20], &mut scratch);
}

#[test]
#[should_panic(expected = "input and output have the same samples")]
fn a_gradient_of_other_samples() {
    let (geometry, mut scratch) = (GroupNormGeometry::new(4, [2, 2], 2), Scratch::default());
    group_norm::backward(&geometry, None, &[0.0; 32], &[0.0; 16], None, AffineGradients::default(), &mut scratch);
}

#[test]
#[should_panic(expected = "all maps have the same samples")]
fn matrices_that_overflow_to_none() {
    let size = 1 << (usize::BITS / 4);
    let columns = usize::MAX / size + 1;
    let geometry = MatmulGeometry { channels: 1, rows: 1, depth: 1, columns, transposed: [false, false] };
    matmul::forward(&geometry, &vec![1.0; size], &[], &mut [], &mut Scratch::default());
}

#[test]
#[should_panic(expected = "both maps have the same samples")]
fn values_at_other_places_that_overflow_to_none() {
    let geometry = RearrangementGeometry { in_len: 1, first: 0, sizes: [1, 1, 1, HALF, 1], steps: [0; 5] };
    rearrange::backward(&geometry, &[], &mut [1.0; 2], Write::Store);
}

#[test]
#[should_panic(expected = "both maps have the same samples")]
fn a_part_of_a_sample_is_none() {
    let geometry = RearrangementGeometry::channel_slice([2, 1, 1], 0, 1);
    rearrange::forward(&geometry, &[1.0; 3], &mut [0.0]);
}

#[test]
#[should_panic(expected = "what is taken is the input's")]
fn places_that_overflow_to_the_first() {
    let geometry = RearrangementGeometry { in_len: 1, first: 0, sizes: [1, 1, 1, 3, 1], steps: [0, 0, 0, HALF, 0] };
    rearrange::forward(&geometry, &[1.0], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "the numbers of a window make more than memory can have")]
fn rows_that_overflow_to_a_cell() {
    softmax::forward_over_width(false, [2, HALF + 1], &[1.0; 2], &mut [0.0; 2]);
}

#[test]
fn an_empty_batch_takes_no_time_and_no_memory_whatever_a_sample_is() {
    let mut scratch = Scratch::default();
    let (mut grad_weight, mut grad_bias) = ([1.0], [1.0]);

    // As many phases as the stride has steps, and a copy of a row that no memory holds.
    let much = Conv2dGeometry {
        in_channels: 1,
        in_size: [1, MUCH],
        out_channels: 1,
        kernel_size: [1, 1],
        stride: [1, MUCH],
        padding: Padding { top: 0, bottom: 0, left: 1, right: 1 },
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };
    convolution::forward(&much, Epilogue::default(), &[], &[1.0], &mut [], &mut scratch);
    let mut packed = vec![0.0; packed::packed_len(&much)];
    packed::pack(&much, MadeFor::OneSample, &[1.0], None, &mut packed);
    packed::forward(&much, Epilogue::default(), &[], &packed, &mut [], &mut scratch);
    convolution::backward_input(&much, &[1.0], &[], &mut [], Write::Store, &mut scratch);
    convolution::backward_weight(&much, &[], &[], &mut grad_weight, Some(&mut grad_bias), &mut scratch);
    assert_eq!([grad_weight, grad_bias], [[0.0]; 2]);

    let much = ConvTranspose2dGeometry {
        in_channels: 1,
        in_size: [1, 2],
        out_channels: 1,
        kernel_size: [1, 1],
        stride: [1, MUCH],
        padding: Padding::symmetric([0, 0]),
        output_padding: [0, MUCH - 1],
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };
    conv_transpose2d::forward(&much, Epilogue::default(), &[], &[1.0], &mut [], &mut scratch);
    conv_transpose2d::backward_weight(&much, &[], &[], &mut grad_weight, Some(&mut grad_bias), &mut scratch);
    assert_eq!([grad_weight, grad_bias], [[0.0]; 2]);

    let much = LocalResponseNormGeometry::new(MUCH, MUCH);
    local_response_norm::forward(&much, &[], &mut [], &mut scratch);

    let much = GroupNormGeometry::new(MUCH, [1, 1], 1);
    group_norm::forward(&much, Affine::default(), FusedActivation::None, &[], &mut [], &mut scratch);
    let target = Some((&mut [][..], Write::Store));
    group_norm::backward(&much, None, &[], &[], target, AffineGradients::default(), &mut scratch);

    let much = MatmulGeometry { channels: MUCH, rows: MUCH, depth: MUCH, columns: MUCH, transposed: [false, true] };
    matmul::forward(&much, &[], &[], &mut [], &mut scratch);

    let target = Some((RowsMut::dense(&mut []), Write::Store));
    let nothing = Rows::dense(&[]);
    prelu::backward(MUCH, &[0.25], nothing, nothing, target, &mut grad_weight, &mut scratch);
    assert_eq!(grad_weight, [0.0]);
}

/// What a kernel works in is reckoned, not counted: sizes that no memory holds are no endless loop.
#[test]
fn what_a_large_convolution_works_in_is_found_at_once() {
    const LARGE: usize = 1 << 31;
    let large = Conv2dGeometry { in_size: [LARGE, LARGE], ..DEPTHWISE };
    let grouped = Conv2dGeometry { groups: 1, ..large };
    for geometry in [
        large,
        grouped,
        Conv2dGeometry { stride: [LARGE - 1, LARGE / 2 + 1], ..grouped },
        Conv2dGeometry { kernel_size: [LARGE, 1], stride: [LARGE / 3, 7], dilation: [1, LARGE / 5], ..grouped },
        Conv2dGeometry { in_channels: LARGE, out_channels: LARGE / 32, in_size: [1, 1], ..grouped },
        Conv2dGeometry { in_channels: LARGE, out_channels: LARGE, groups: LARGE, ..large },
        Conv2dGeometry { in_size: [LARGE, 4], padding: Padding::symmetric([LARGE, 1]), ..grouped },
    ] {
        assert!(geometry.needs().shared > 0, "{geometry:?}");
    }
}

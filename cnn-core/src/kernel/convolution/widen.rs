//! Few output channels: neighbouring cells of a row are computed as the channels of one.
//!
//! Six channels fill six of sixteen lanes. The six channels of two neighbouring cells fill twelve, and they are the
//! channels of one cell of a wider convolution: its window is the union of both windows, and in its filters each channel
//! has its own taps and zeros elsewhere. Maps stay where they are, because the channels of neighbours lie side by side;
//! only the filters are copied. For LeNet's first convolution (5 x 5, 1 to 6 channels) that is 30 steps for two cells in
//! the place of 50.
//!
//! The zeros are multiplied, and zero times infinity is NaN: samples that are not finite are computed directly, so that a
//! value only meets the weights of its window. Where values are finite, both have the same bits.

use crate::kernel::geometry::{Conv2dGeometry, Layout, Map};
use crate::kernel::isa::{Isa, MAX_LANES};
use crate::kernel::memory::chunk;
use crate::kernel::rows::finite::AreFinite;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The wider convolution, if it takes clearly fewer steps.
pub(super) const fn geometry(geometry: &Conv2dGeometry) -> Option<Conv2dGeometry> {
    let (kernel, stride, channels) = (geometry.kernel_size[1], geometry.stride[1], geometry.out_channels);
    let unfit = geometry.groups > 1 || geometry.dilation[1] > 1 || !geometry.output().is_dense();
    // Sixteen times as many filters still have a number.
    if unfit || stride > kernel || geometry.weight_len() > usize::MAX >> 8 {
        return None;
    }
    let [_, width] = geometry.out_size();
    let (mut best, mut cells) = (1, 2);
    while cells * channels <= MAX_LANES && cells <= width {
        // Steps for a row of cells: `(kernel + (cells - 1) * stride)` for each `cells` of them.
        let fewer = (kernel + (cells - 1) * stride) * best < (kernel + (best - 1) * stride) * cells;
        if width.is_multiple_of(cells) && fewer {
            best = cells;
        }
        cells += 1;
    }
    if 5 * (kernel + (best - 1) * stride) > 4 * kernel * best {
        return None;
    }
    Some(Conv2dGeometry {
        out_channels: best * channels,
        kernel_size: [geometry.kernel_size[0], kernel + (best - 1) * stride],
        stride: [geometry.stride[0], best * stride],
        layout: Layout { out_stride: 0, ..geometry.layout },
        ..*geometry
    })
}

/// Values of the wider weight and bias.
pub(super) const fn copy_len(wide: &Conv2dGeometry) -> usize {
    wide.weight_len() + wide.out_channels
}

/// Calls `each` with the places of `[out_channels]` values in the weight and all their places in the wider weight.
fn for_each_tap(geometry: &Conv2dGeometry, wide: &Conv2dGeometry, mut each: impl FnMut(usize, usize)) {
    let [kernel_height, kernel_width] = geometry.kernel_size;
    for kh in 0..kernel_height {
        for kw in 0..kernel_width {
            for ic in 0..geometry.in_channels {
                let place = ((kh * kernel_width + kw) * geometry.in_channels + ic) * geometry.out_channels;
                for cell in 0..wide.out_channels / geometry.out_channels {
                    let wide_kw = kw + cell * geometry.stride[1];
                    let row = (kh * wide.kernel_size[1] + wide_kw) * geometry.in_channels + ic;
                    each(place, row * wide.out_channels + cell * geometry.out_channels);
                }
            }
        }
    }
}

/// Calls `each` with runs of samples, and whether they are finite.
pub(super) fn for_each_run(isa: Isa, map: Map, input: &[f32], mut each: impl FnMut(Range<usize>, bool)) {
    let batch = map.samples(input.len());
    let is_finite = |sample: usize| {
        let values = &input[map.sample(sample, input.len())];
        let (rows, width) = if map.is_dense() { (1, values.len()) } else { (map.cells(), map.channels) };
        isa.run(AreFinite { values, rows, width, step: map.stride })
    };
    let finite = AtomicBool::new(true);
    chunk::for_each(batch, input.len(), |sample| {
        if !is_finite(sample) {
            finite.store(false, Relaxed);
        }
    });
    if finite.into_inner() {
        return each(0..batch, true);
    }
    let mut start = 0;
    while start < batch {
        let finite = is_finite(start);
        let end = (start + 1..batch).find(|sample| is_finite(*sample) != finite).unwrap_or(batch);
        each(start..end, finite);
        start = end;
    }
}

/// Copies weight and bias (which may be empty) as those of the wider convolution.
pub(super) fn parameters<'a>(
    geometry: &Conv2dGeometry,
    wide: &Conv2dGeometry,
    weight: &[f32],
    bias: &[f32],
    copy: &'a mut [f32],
) -> (&'a [f32], &'a [f32]) {
    let (wide_weight, wide_bias) = copy.split_at_mut(wide.weight_len());
    let channels = geometry.out_channels;
    wide_weight.fill(0.0);
    for_each_tap(geometry, wide, |place, wide_place| {
        wide_weight[wide_place..wide_place + channels].copy_from_slice(&weight[place..place + channels]);
    });
    if bias.is_empty() {
        return (wide_weight, &[]);
    }
    wide_bias.chunks_exact_mut(channels).for_each(|wide_bias| wide_bias.copy_from_slice(bias));
    (wide_weight, wide_bias)
}

/// The gradients of weight and bias from those of the wider convolution, where each is in several places.
pub(super) fn fold(
    geometry: &Conv2dGeometry,
    wide: &Conv2dGeometry,
    wide_weight: &[f32],
    wide_bias: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
) {
    let channels = geometry.out_channels;
    let add = |sum: &mut [f32], values: &[f32]| sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    grad_weight.fill(0.0);
    for_each_tap(geometry, wide, |place, wide_place| {
        add(&mut grad_weight[place..place + channels], &wide_weight[wide_place..wide_place + channels]);
    });
    if let Some(grad_bias) = grad_bias {
        grad_bias.fill(0.0);
        wide_bias.chunks_exact(channels).for_each(|wide_bias| add(grad_bias, wide_bias));
    }
}

//! The weight's gradient where the output's is not finite: the padding's zeros are multiplied with it, and zero times
//! infinity is NaN, in taps that met nothing but padding there. Those channels are summed again, without padding.
//!
//! Every tap of a channel meets every cell of the output, on the input or on its padding, so one tap tells: looking costs
//! nothing. Summing again is slow, in a network with other troubles.

use crate::kernel::geometry::{Conv2dGeometry, Map};
use crate::kernel::memory::chunk::{self, Target};

/// Input channels that are summed at a time.
const CHANNELS: usize = 64;

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_weight `[g, kh, kw, ic / g, oc / g]`, where it is to be
/// mended. The shell has checked all lengths.
pub(super) fn mend(geometry: &Conv2dGeometry, input: &[f32], grad_output: &[f32], grad_weight: &mut [f32]) {
    if geometry.padding.is_zero() {
        return;
    }
    let (oc, filters) = (geometry.out_channels / geometry.groups, geometry.weight_len() / geometry.groups);
    let of_first_tap = |grad_weight: &[f32], channel: usize| grad_weight[channel / oc * filters + channel % oc];
    if (0..geometry.out_channels).all(|channel| of_first_tap(grad_weight, channel).is_finite()) {
        return;
    }
    let taps = geometry.kernel_size[0] * geometry.kernel_size[1];
    let target = Target::new(grad_weight);
    chunk::for_each(geometry.out_channels, input.len() * taps * geometry.out_channels, |channel| {
        let (group, channel_of_group) = (channel / oc, channel % oc);
        // SAFETY: each channel's values are read and written by its own task alone.
        let value = |row: usize| unsafe { &mut target.slice(group * filters + row * oc + channel_of_group, 1)[0] };
        if value(0).is_finite() {
            return;
        }
        let ic = geometry.in_channels / geometry.groups;
        for tap in 0..taps {
            for first in (0..ic).step_by(CHANNELS) {
                let mut sums = [0.0; CHANNELS];
                let sums = &mut sums[..CHANNELS.min(ic - first)];
                sum(geometry, input, grad_output, tap, (channel, group * ic + first), sums);
                for (row, sum) in (tap * ic + first..).zip(&*sums) {
                    *value(row) = *sum;
                }
            }
        }
    });
}

/// Adds up what a tap, counted row by row, meets on the input, of as many input channels as there are sums.
fn sum(
    geometry: &Conv2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    tap: usize,
    (out_channel, in_channel): (usize, usize),
    sums: &mut [f32],
) {
    let Conv2dGeometry { kernel_size, stride, dilation, padding, .. } = geometry;
    let (map, out_map) = (geometry.input(), geometry.output());
    let (kh, kw) = (tap / kernel_size[1], tap % kernel_size[1]);
    for sample in 0..map.samples(input.len()) {
        for oh in 0..out_map.size[0] {
            let ih = (oh * stride[0] + kh * dilation[0]).wrapping_sub(padding.top);
            if ih >= map.size[0] {
                continue;
            }
            for ow in 0..out_map.size[1] {
                let iw = (ow * stride[1] + kw * dilation[1]).wrapping_sub(padding.left);
                if iw >= map.size[1] {
                    continue;
                }
                let cell = |map: Map, row: usize, column: usize| {
                    sample * map.sample_step() + row * map.row_step() + column * map.stride
                };
                let grad = grad_output[cell(out_map, oh, ow) + out_channel];
                let x = &input[cell(map, ih, iw) + in_channel..];
                sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * grad);
            }
        }
    }
}

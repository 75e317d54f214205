//! Transposed convolution: the convolution from its output to its input, backwards.
//! <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>

use super::geometry::{ConvTranspose2dGeometry, Map};
use super::pool::clear;
use super::scratch::{Needs, Scratch};
use super::{Write, direct};

/// Channels that are summed at a time.
const LANES: usize = 16;

impl ConvTranspose2dGeometry {
    /// What the passes work in.
    pub const fn needs(&self) -> Needs {
        match self.convolution() {
            Some(convolution) => convolution.needs(),
            None => Needs { shared: 0, per_thread: 0 },
        }
    }
}

/// input `[n, ih, iw, ic]`, weight `[g, kh, kw, oc / g, ic / g]` -> output `[n, oh, ow, oc]`.
pub fn forward(
    geometry: &ConvTranspose2dGeometry,
    bias: Option<&[f32]>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    match geometry.convolution() {
        Some(convolution) => direct::backward_input(&convolution, weight, input, output, Write::Store, scratch),
        None => {
            clear(geometry.output(), output);
            for_each_product(geometry, input.len(), |i, w, o| output[o] += input[i] * weight[w]);
        }
    }
    if let Some(bias) = bias {
        assert_eq!(bias.len(), geometry.out_channels);
        for cell in output.chunks_mut(geometry.output().stride) {
            cell.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
        }
    }
}

/// weight `[g, kh, kw, oc / g, ic / g]`, grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`.
pub fn backward_input(
    geometry: &ConvTranspose2dGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    match geometry.convolution() {
        Some(convolution) => {
            let epilogue = direct::Epilogue { write, ..direct::Epilogue::default() };
            direct::forward(&convolution, epilogue, grad_output, weight, grad_input, scratch);
        }
        None => {
            if write == Write::Store {
                clear(geometry.input(), grad_input);
            }
            for_each_product(geometry, grad_input.len(), |i, w, o| grad_input[i] += grad_output[o] * weight[w]);
        }
    }
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_weight `[g, kh, kw, oc / g, ic / g]`, grad_bias `[oc]`.
pub fn backward_weight(
    geometry: &ConvTranspose2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    scratch: &mut Scratch,
) {
    match geometry.convolution() {
        Some(convolution) => {
            direct::backward_weight(&convolution, grad_output, input, grad_weight, None, scratch);
        }
        None => {
            grad_weight.fill(0.0);
            for_each_product(geometry, input.len(), |i, w, o| grad_weight[w] += grad_output[o] * input[i]);
        }
    }
    if let Some(grad_bias) = grad_bias {
        sum_rows(geometry.output(), grad_output, grad_bias);
    }
}

/// The sum of each channel.
fn sum_rows(map: Map, values: &[f32], sums: &mut [f32]) {
    for (part, sums) in sums.chunks_mut(LANES).enumerate() {
        let mut wide = [0.0_f64; LANES];
        for cell in values.chunks(map.stride) {
            let cell = &cell[part * LANES..][..sums.len()];
            wide.iter_mut().zip(cell).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sums.iter_mut().zip(wide).for_each(|(sum, wide)| *sum = wide as f32);
    }
}

/// Calls `product` with the places of each value of the input, each weight that it meets, and the output that their product
/// goes to. For the rare geometry that is no convolution backwards.
fn for_each_product(geometry: &ConvTranspose2dGeometry, len: usize, mut product: impl FnMut(usize, usize, usize)) {
    let (input, output) = (geometry.input(), geometry.output());
    let ConvTranspose2dGeometry { stride, dilation, kernel_size: [height, width], groups, .. } = *geometry;
    let (ic, oc) = (geometry.in_channels / groups, geometry.out_channels / groups);
    let (cells, taps) = (input.cells(), height * width);
    for place in 0..input.samples(len) * cells * taps {
        let (n, cell, tap) = (place / taps / cells, place / taps % cells, place % taps);
        let (ih, iw, kh, kw) = (cell / input.size[1], cell % input.size[1], tap / width, tap % width);
        let row = (ih * stride[0] + kh * dilation[0]).checked_sub(geometry.padding.top);
        let column = (iw * stride[1] + kw * dilation[1]).checked_sub(geometry.padding.left);
        let (Some(oh), Some(ow)) = (row, column) else { continue };
        if oh >= output.size[0] || ow >= output.size[1] {
            continue;
        }
        let from = n * input.sample_step() + ih * input.row_step() + iw * input.stride;
        let to = n * output.sample_step() + oh * output.row_step() + ow * output.stride;
        for g in 0..groups {
            for o in 0..oc {
                for i in 0..ic {
                    let weight = (((g * height + kh) * width + kw) * oc + o) * ic + i;
                    product(from + g * ic + i, weight, to + g * oc + o);
                }
            }
        }
    }
}

//! Maps that get another height and width: upsampling, zeros around, and the largest of adapted windows. Plain loops over
//! cells; samples are shared among threads.

use super::Write;
use super::geometry::{AdaptivePool2dGeometry, Interpolation, Map, Upsample2dGeometry, ZeroPad2dGeometry};
use super::pool::clear;
use rayon::prelude::*;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html>
pub fn upsample_forward(geometry: &Upsample2dGeometry, input: &[f32], output: &mut [f32]) {
    let channels = geometry.channels;
    each_sample(geometry.input(), geometry.output(), input, output, |input, output| {
        for_each_share(geometry, |from, to, share, first| {
            let values = output[to..to + channels].iter_mut().zip(&input[from..from + channels]);
            if first {
                values.for_each(|(to, from)| *to = share * from);
            } else {
                values.for_each(|(to, from)| *to += share * from);
            }
        });
    });
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn upsample_backward(geometry: &Upsample2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let (channels, map) = (geometry.channels, geometry.input());
    each_sample(geometry.output(), map, grad_output, grad_input, |grad_output, grad_input| {
        if write == Write::Store {
            clear(map, grad_input);
        }
        for_each_share(geometry, |to, from, share, _| {
            let values = grad_input[to..to + channels].iter_mut().zip(&grad_output[from..from + channels]);
            values.for_each(|(to, from)| *to += share * from);
        });
    });
}

/// Calls `share` with a cell of the input, a cell of the output that is partly made of it, the part, and whether it is the
/// output's first.
fn for_each_share(geometry: &Upsample2dGeometry, mut share: impl FnMut(usize, usize, f32, bool)) {
    let (input, output) = (geometry.input(), geometry.output());
    let taps = if geometry.interpolation == Interpolation::Nearest { 1 } else { 2 };
    for oh in 0..output.size[0] {
        let rows = sources(geometry, 0, oh);
        for ow in 0..output.size[1] {
            let (to, columns) = (oh * output.row_step() + ow * output.stride, sources(geometry, 1, ow));
            for (kh, (ih, vertical)) in rows.into_iter().take(taps).enumerate() {
                for (kw, (iw, horizontal)) in columns.into_iter().take(taps).enumerate() {
                    share(ih * input.row_step() + iw * input.stride, to, vertical * horizontal, kh + kw == 0);
                }
            }
        }
    }
}

/// The two rows (`axis` 0) or columns (1) of the input that make this one of the output, with their shares.
fn sources(geometry: &Upsample2dGeometry, axis: usize, position: usize) -> [(usize, f32); 2] {
    let (cells, positions) = (geometry.in_size[axis], geometry.out_size[axis]);
    let Interpolation::Bilinear { align_corners } = geometry.interpolation else {
        let nearest = geometry.nearest(axis, position);
        return [(nearest, 1.0), (nearest, 0.0)];
    };
    // Counted from the centre of the input's first cell, in halves of the output's: whole numbers until the division.
    let place = match align_corners {
        true if positions == 1 => 0.0,
        true => (position * (cells - 1)) as f64 / (positions - 1) as f64,
        false => ((2 * position + 1) * cells).saturating_sub(positions) as f64 / (2 * positions) as f64,
    };
    let first = (place as usize).min(cells - 1);
    let share = (place - first as f64) as f32;
    [(first, 1.0 - share), ((first + 1).min(cells - 1), share)]
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html>
pub fn zero_pad_forward(geometry: &ZeroPad2dGeometry, input: &[f32], output: &mut [f32]) {
    let (channels, map) = (geometry.channels, geometry.output());
    each_sample(geometry.input(), map, input, output, |input, output| {
        clear(map, output);
        for_each_cell(geometry, |from, to| output[to..to + channels].copy_from_slice(&input[from..from + channels]));
    });
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn zero_pad_backward(geometry: &ZeroPad2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let channels = geometry.channels;
    each_sample(geometry.output(), geometry.input(), grad_output, grad_input, |grad_output, grad_input| {
        for_each_cell(geometry, |to, from| {
            let values = grad_input[to..to + channels].iter_mut().zip(&grad_output[from..from + channels]);
            match write {
                Write::Store => values.for_each(|(to, from)| *to = *from),
                Write::Add => values.for_each(|(to, from)| *to += from),
            }
        });
    });
}

/// Calls `cell` with each cell of the input and its place in the output.
fn for_each_cell(geometry: &ZeroPad2dGeometry, mut cell: impl FnMut(usize, usize)) {
    let (input, output) = (geometry.input(), geometry.output());
    for ih in 0..input.size[0] {
        for iw in 0..input.size[1] {
            let (oh, ow) = (ih + geometry.padding.top, iw + geometry.padding.left);
            cell(ih * input.row_step() + iw * input.stride, oh * output.row_step() + ow * output.stride);
        }
    }
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html>
pub fn adaptive_max_forward(geometry: &AdaptivePool2dGeometry, input: &[f32], output: &mut [f32]) {
    each_sample(geometry.input(), geometry.output(), input, output, |input, output| {
        for_each_winner(geometry, input, |from, to| output[to] = input[from]);
    });
}

/// input `[n, ih, iw, c]`, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn adaptive_max_backward(
    geometry: &AdaptivePool2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let map = geometry.input();
    let steps = (map.sample_step(), geometry.output().sample_step());
    let read = input.par_chunks(steps.0).zip(grad_output.par_chunks(steps.1));
    grad_input.par_chunks_mut(steps.0).zip(read).for_each(|(grad_input, (input, grad_output))| {
        if write == Write::Store {
            clear(map, grad_input);
        }
        for_each_winner(geometry, input, |to, from| grad_input[to] += grad_output[from]);
    });
}

/// Calls `winner` with the largest value of each window, the first of equals, and the place of the window's output.
fn for_each_winner(geometry: &AdaptivePool2dGeometry, input: &[f32], mut winner: impl FnMut(usize, usize)) {
    let (map, output) = (geometry.input(), geometry.output());
    for oh in 0..output.size[0] {
        for ow in 0..output.size[1] {
            let (rows, columns) = (geometry.cells(0, oh), geometry.cells(1, ow));
            for c in 0..geometry.channels {
                let place = |ih: usize, iw: usize| ih * map.row_step() + iw * map.stride + c;
                let mut largest = place(rows.start, columns.start);
                for ih in rows.clone() {
                    for iw in columns.clone() {
                        let (value, most) = (input[place(ih, iw)], input[largest]);
                        // NaN wins, as in PyTorch.
                        if value > most || value.is_nan() && !most.is_nan() {
                            largest = place(ih, iw);
                        }
                    }
                }
                winner(largest, oh * output.row_step() + ow * output.stride + c);
            }
        }
    }
}

/// Calls `body` with each sample of both maps, on all threads.
///
/// # Panics
/// If they have not the same samples.
fn each_sample(from: Map, to: Map, input: &[f32], output: &mut [f32], body: impl Fn(&[f32], &mut [f32]) + Sync) {
    assert_eq!(from.samples(input.len()), to.samples(output.len()), "both maps have the same samples");
    let samples = output.par_chunks_mut(to.sample_step()).zip(input.par_chunks(from.sample_step()));
    samples.for_each(|(output, input)| body(input, output));
}

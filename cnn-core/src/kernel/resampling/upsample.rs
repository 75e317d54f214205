//! Resampling to another height and width: each cell is a sum of at most four cells, with shares that are products of a
//! row's and a column's. <https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html>

use crate::kernel::Write;
use crate::kernel::geometry::{Interpolation, Upsample2dGeometry};
use crate::kernel::isa;
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::clear;

/// Output values of a piece of work at least.
const PIECE: usize = 1 << 14;
/// Channels of a piece of work, backwards.
const CHANNELS: usize = 64;

/// Two rows or columns of the input with their shares.
type Sources = [(usize, f32); 2];

/// Those that make this row (`axis` 0) or column (1) of the output.
#[inline]
fn sources(geometry: &Upsample2dGeometry, axis: usize, position: usize) -> Sources {
    let (cells, positions) = (geometry.in_size[axis], geometry.out_size[axis]);
    let Interpolation::Bilinear { align_corners } = geometry.interpolation else {
        let nearest = geometry.nearest(axis, position);
        return [(nearest, 1.0), (nearest, 0.0)];
    };
    // Where the centre of the output's cell lies, from the centre of the first cell of the input.
    let place = match align_corners {
        true if positions == 1 => 0.0,
        true => position as f64 * (cells - 1) as f64 / (positions - 1) as f64,
        false => (geometry.place(axis, position as f64 + 0.5) - 0.5).max(0.0),
    };
    let first = (place as usize).min(cells - 1);
    let share = place - first as f64;
    [(first, (1.0 - share) as f32), ((first + 1).min(cells - 1), share as f32)]
}

#[inline]
fn batch(geometry: &Upsample2dGeometry, input: usize, output: usize) -> usize {
    let batch = geometry.output().samples(output);
    assert_eq!(geometry.input().samples(input), batch, "input and output are batches of the same size");
    batch
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
#[inline]
pub fn forward(geometry: &Upsample2dGeometry, input: &[f32], output: &mut [f32]) {
    let batch = batch(geometry, input.len(), output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    let [height, width] = out_map.size;
    let rows = PIECE.div_ceil(width * map.channels);
    let target = Target::new(output);
    let isa = isa::current();
    chunk::for_each((batch * height).div_ceil(rows), 4 * batch * geometry.out_len(), |piece| {
        isa.vectorize(
            #[inline(always)]
            || {
                for row in piece * rows..(batch * height).min((piece + 1) * rows) {
                    let sample = &input[map.sample(row / height, input.len())];
                    let rows = sources(geometry, 0, row % height);
                    for ow in 0..width {
                        // SAFETY: each row of the output is part of one piece.
                        let to = unsafe { target.slice(row * out_map.row_step() + ow * out_map.stride, map.channels) };
                        let columns = sources(geometry, 1, ow);
                        let cell = |r: usize, c: usize| {
                            &sample[rows[r].0 * map.row_step() + columns[c].0 * map.stride..][..map.channels]
                        };
                        let share = |r: usize, c: usize| rows[r].1 * columns[c].1;
                        // What has no share is not multiplied: zero times infinity would be NaN, as it is in PyTorch.
                        match [rows[1].1 > 0.0, columns[1].1 > 0.0] {
                            [false, false] => to.copy_from_slice(cell(0, 0)),
                            [true, true] => {
                                let shares = [share(0, 0), share(0, 1), share(1, 0), share(1, 1)];
                                let cells = cell(0, 0).iter().zip(cell(0, 1)).zip(cell(1, 0).iter().zip(cell(1, 1)));
                                for (to, ((a, b), (c, d))) in to.iter_mut().zip(cells) {
                                    *to = a * shares[0] + b * shares[1] + c * shares[2] + d * shares[3];
                                }
                            }
                            [below, beside] => {
                                let (r, c) = (usize::from(below), usize::from(beside));
                                let shares = [share(0, 0), share(r, c)];
                                for (to, (a, b)) in to.iter_mut().zip(cell(0, 0).iter().zip(cell(r, c))) {
                                    *to = a * shares[0] + b * shares[1];
                                }
                            }
                        }
                    }
                }
            },
        );
    });
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
#[inline]
pub fn backward(geometry: &Upsample2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let batch = batch(geometry, grad_input.len(), grad_output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    if write == Write::Store {
        clear(map, grad_input);
    }
    let strips = map.channels.div_ceil(CHANNELS);
    let target = Target::new(grad_input);
    let isa = isa::current();
    // Cells of the output share cells of the input, so a sample is not cut, but its channels are.
    chunk::for_each(batch * strips, 4 * batch * geometry.out_len(), |index| {
        let (sample, first) = (index / strips, index % strips * CHANNELS);
        let count = CHANNELS.min(map.channels - first);
        isa.vectorize(
            #[inline(always)]
            || {
                for oh in 0..out_map.size[0] {
                    let rows = sources(geometry, 0, oh);
                    for ow in 0..out_map.size[1] {
                        let columns = sources(geometry, 1, ow);
                        let place =
                            sample * out_map.sample_step() + oh * out_map.row_step() + ow * out_map.stride + first;
                        let grad = &grad_output[place..place + count];
                        for (ih, row_share) in rows {
                            for (iw, column_share) in columns {
                                let share = row_share * column_share;
                                if share == 0.0 {
                                    continue;
                                }
                                let place = sample * map.sample_step() + ih * map.row_step() + iw * map.stride + first;
                                // SAFETY: these channels of this sample are part of one piece.
                                let to = unsafe { target.slice(place, count) };
                                to.iter_mut().zip(grad).for_each(|(to, grad)| *to += share * grad);
                            }
                        }
                    }
                }
            },
        );
    });
}

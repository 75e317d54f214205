//! Rows and columns around a map: of a constant, or of the map's own cells.
//! <https://pytorch.org/docs/stable/nn.html#padding-layers>

use crate::kernel::Write;
use crate::kernel::geometry::{Map, Pad2dGeometry, PaddingMode};
use crate::kernel::memory::chunk;

/// # Panics
/// If both are not batches of the same size, or the padding is more than the map has cells for.
#[inline]
fn batch(geometry: &Pad2dGeometry, input: usize, output: usize) -> usize {
    let batch = geometry.output().samples(output);
    assert_eq!(geometry.input().samples(input), batch, "input and output are batches of the same size");
    assert!(geometry.has_cells(), "the padding shows a cell of the map no more than once");
    batch
}

/// The channels of `count` cells of a row, from its start on.
#[inline]
fn cells(map: Map, values: &[f32], count: usize) -> impl Iterator<Item = &[f32]> {
    values.chunks(map.stride).take(count).map(move |cell| &cell[..map.channels])
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
#[inline]
pub fn forward(geometry: &Pad2dGeometry, input: &[f32], output: &mut [f32]) {
    let batch = batch(geometry, input.len(), output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    let out_height = out_map.size[0];
    let work = out_map.size[1] * map.channels;
    let constant = if let PaddingMode::Constant(value) = geometry.mode { value } else { 0.0 };
    chunk::for_each_part(batch * out_height, out_map.row_step(), work, output, |first, output| {
        for (row, to) in output.chunks_mut(out_map.row_step()).enumerate() {
            let (sample, oh) = ((first + row) / out_height, (first + row) % out_height);
            let from = geometry.source(0, oh).map(|ih| &input[sample * map.sample_step() + ih * map.row_step()..]);
            for (ow, to) in to.chunks_mut(out_map.stride).enumerate() {
                let to = &mut to[..map.channels];
                match from.zip(geometry.source(1, ow)) {
                    Some((from, iw)) => to.copy_from_slice(&from[iw * map.stride..][..map.channels]),
                    None => to.fill(constant),
                }
            }
        }
    });
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`: of each cell the sum of those that show it, its own first.
#[inline]
pub fn backward(geometry: &Pad2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let batch = batch(geometry, grad_input.len(), grad_output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    let [height, width] = map.size;
    let work = width * map.channels;
    chunk::for_each_part(batch * height, map.row_step(), work, grad_input, |first, grad_input| {
        for (row, to) in grad_input.chunks_mut(map.row_step()).enumerate() {
            let (sample, ih) = ((first + row) / height, (first + row) % height);
            let row_from = |oh: usize| &grad_output[sample * out_map.sample_step() + oh * out_map.row_step()..];
            add_row(geometry, row_from(ih + geometry.padding.top), to, write);
            let shown = geometry.border(0).filter(|oh| geometry.source(0, *oh) == Some(ih));
            shown.for_each(|oh| add_row(geometry, row_from(oh), to, Write::Add));
        }
    });
}

/// The gradient of one row of the output -> that of the row that it shows.
#[inline]
fn add_row(geometry: &Pad2dGeometry, from: &[f32], to: &mut [f32], write: Write) {
    let (map, out_map) = (geometry.input(), geometry.output());
    let own = cells(out_map, &from[geometry.padding.left * out_map.stride..], map.size[1]);
    for (to, from) in to.chunks_mut(map.stride).zip(own) {
        match write {
            Write::Store => to[..map.channels].copy_from_slice(from),
            Write::Add => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
        }
    }
    for (ow, iw) in geometry.border(1).filter_map(|ow| Some((ow, geometry.source(1, ow)?))) {
        let from = &from[ow * out_map.stride..][..map.channels];
        to[iw * map.stride..].iter_mut().zip(from).for_each(|(to, from)| *to += from);
    }
}

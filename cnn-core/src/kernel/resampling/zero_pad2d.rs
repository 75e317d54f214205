//! Zeros around a map. <https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html>

use crate::kernel::Write;
use crate::kernel::geometry::{Map, ZeroPad2dGeometry};
use crate::kernel::memory::chunk;
use crate::kernel::rows::clear;

#[inline]
fn batch(geometry: &ZeroPad2dGeometry, input: usize, output: usize) -> usize {
    let batch = geometry.output().samples(output);
    assert_eq!(geometry.input().samples(input), batch, "input and output are batches of the same size");
    batch
}

/// The channels of `count` cells of a row, from its start on.
#[inline]
fn cells(map: Map, values: &[f32], count: usize) -> impl Iterator<Item = &[f32]> {
    values.chunks(map.stride).take(count).map(move |cell| &cell[..map.channels])
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
#[inline]
pub fn forward(geometry: &ZeroPad2dGeometry, input: &[f32], output: &mut [f32]) {
    let batch = batch(geometry, input.len(), output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    let [height, width] = map.size;
    let out_height = out_map.size[0];
    let work = out_map.size[1] * map.channels;
    chunk::for_each_part(batch * out_height, out_map.row_step(), work, output, |first, output| {
        for (row, to) in output.chunks_mut(out_map.row_step()).enumerate() {
            let (sample, oh) = ((first + row) / out_height, (first + row) % out_height);
            clear(out_map, to);
            let ih = oh.wrapping_sub(geometry.padding.top);
            if ih >= height {
                continue;
            }
            let from = cells(map, &input[sample * map.sample_step() + ih * map.row_step()..], width);
            let to = to[geometry.padding.left * out_map.stride..].chunks_mut(out_map.stride);
            to.zip(from).for_each(|(to, from)| to[..map.channels].copy_from_slice(from));
        }
    });
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
#[inline]
pub fn backward(geometry: &ZeroPad2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let batch = batch(geometry, grad_input.len(), grad_output.len());
    let (map, out_map) = (geometry.input(), geometry.output());
    let [height, width] = map.size;
    let work = width * map.channels;
    chunk::for_each_part(batch * height, map.row_step(), work, grad_input, |first, grad_input| {
        for (row, to) in grad_input.chunks_mut(map.row_step()).enumerate() {
            let (sample, ih) = ((first + row) / height, (first + row) % height);
            let cell = (ih + geometry.padding.top) * out_map.size[1] + geometry.padding.left;
            let from = cells(out_map, &grad_output[sample * out_map.sample_step() + cell * out_map.stride..], width);
            for (to, from) in to.chunks_mut(map.stride).zip(from) {
                match write {
                    Write::Store => to[..map.channels].copy_from_slice(from),
                    Write::Add => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
                }
            }
        }
    });
}

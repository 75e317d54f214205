//! Weights that are packed once, for networks that do not learn any more. A convolution of few cells spends a third of its
//! time on packing otherwise.

use super::buffer::Buffer;
use super::chunk::Target;
use super::correlate::{Filters, correlate, pack_filters};
use super::direct::{self, Epilogue, forward_correlation, forward_matrix};
use super::geometry::Conv2dGeometry;
use super::isa::{self, Isa};
use super::scratch::{Needs, Scratch};
use super::{depthwise, widen};

/// Weight and bias of a convolution as the loops of one instruction set read them.
#[derive(Clone, Debug)]
pub struct Packed {
    isa: Isa,
    geometry: Conv2dGeometry,
    filters: Buffer,
    bias: Buffer,
}

/// Packs weight `[g, kh, kw, ic / g, oc / g]` and bias `[oc]` for the current instruction set.
pub fn pack(geometry: &Conv2dGeometry, weight: &[f32], bias: Option<&[f32]>) -> Packed {
    assert_eq!(weight.len(), geometry.weight_len());
    assert!(bias.is_none_or(|bias| bias.len() == geometry.out_channels));
    let isa = isa::current();
    let bias = bias.unwrap_or(&[]);
    if depthwise::is(geometry) {
        let correlation = forward_correlation(geometry);
        let mut filters = Buffer::zeros(depthwise::packed_len(&correlation));
        let [kh, kw] = geometry.kernel_size;
        depthwise::pack(&correlation, weight, kh * kw, |row, column| row * kw + column, &mut filters);
        return Packed { isa, geometry: *geometry, filters, bias: copy(bias) };
    }
    if let Some(wide) = widen::geometry(geometry) {
        let mut parameters = Buffer::zeros(widen::copy_len(&wide));
        let (weight, bias) = widen::parameters(geometry, &wide, weight, bias, &mut parameters);
        return Packed { isa, geometry: *geometry, filters: filters(isa, &wide, weight), bias: copy(bias) };
    }
    Packed { isa, geometry: *geometry, filters: filters(isa, geometry, weight), bias: copy(bias) }
}

fn copy(values: &[f32]) -> Buffer {
    let mut copy = Buffer::zeros(values.len());
    copy.copy_from_slice(values);
    copy
}

fn filters(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32]) -> Buffer {
    let correlation = forward_correlation(geometry);
    let mut packed = Buffer::zeros(correlation.packed_len());
    pack_filters(isa, &correlation, weight, |group| forward_matrix(&correlation, group), false, &mut packed);
    packed
}

/// input `[n, ih, iw, ic]` -> output `[n, oh, ow, oc]`: [`direct::forward`] with a weight and a bias that were packed for
/// this geometry.
///
/// # Panics
/// If the epilogue has a bias of its own, or the weight was packed for another geometry.
pub fn forward(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    packed: &Packed,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    direct::batch(geometry, input.len(), output.len());
    assert!(epilogue.bias.is_none(), "the bias is packed with the weight");
    let Packed { isa, filters, bias, .. } = packed;
    assert!(packed.geometry == *geometry, "the weight was packed for another geometry");
    let (_, slots) = scratch.lend(Needs { shared: 0, ..geometry.needs() });
    let (finish, target) = (epilogue.finish(), Target::new(output));
    if depthwise::is(geometry) {
        return depthwise::correlate(*isa, &forward_correlation(geometry), filters, bias, finish, input, target);
    }
    let correlation = forward_correlation(&widen::geometry(geometry).unwrap_or(*geometry));
    let filters = Filters { packed: filters, in_place: &[] };
    correlate(*isa, &correlation, filters, bias, finish, input, target, slots);
}

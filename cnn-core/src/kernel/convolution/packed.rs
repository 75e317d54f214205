//! Weights that are packed once, for networks that do not learn any more. A convolution of few cells spends a third of its
//! time on packing otherwise.

use super::algorithm::{Algorithm, Pass};
use super::{Epilogue, depthwise, direct, widen};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{self, Isa};
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Scratch};

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
    super::check(geometry);
    assert_eq!(weight.len(), geometry.weight_len());
    assert!(bias.is_none_or(|bias| bias.len() == geometry.out_channels));
    let isa = isa::current();
    let bias = bias.unwrap_or(&[]);
    let (filters, bias) = match Algorithm::of(geometry, Pass::Forward) {
        Algorithm::Depthwise => {
            let mut filters = Buffer::zeros(geometry.weight_len());
            depthwise::pack(geometry, weight, &mut filters);
            (filters, copy(bias))
        }
        Algorithm::Widened(wide) => {
            let mut parameters = Buffer::zeros(widen::copy_len(&wide));
            let (weight, bias) = widen::parameters(geometry, &wide, weight, bias, &mut parameters);
            (filters(isa, &wide, weight), copy(bias))
        }
        Algorithm::Direct | Algorithm::Scattered => (filters(isa, geometry, weight), copy(bias)),
    };
    Packed { isa, geometry: *geometry, filters, bias }
}

fn copy(values: &[f32]) -> Buffer {
    let mut copy = Buffer::zeros(values.len());
    copy.copy_from_slice(values);
    copy
}

fn filters(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32]) -> Buffer {
    let mut packed = Buffer::zeros(direct::packed_len(geometry));
    direct::pack(isa, geometry, weight, &mut packed);
    packed
}

/// input `[n, ih, iw, ic]` -> output `[n, oh, ow, oc]`: [`convolution::forward`](super::forward) with a weight and a bias that were packed for
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
    let batch = super::batch(geometry, input.len(), output.len());
    assert!(epilogue.bias.is_none(), "the bias is packed with the weight");
    let Packed { isa, filters, bias, .. } = packed;
    assert!(packed.geometry == *geometry, "the weight was packed for another geometry");
    if batch == 0 {
        return;
    }
    let (_, slots) = scratch.lend(Needs { shared: 0, ..geometry.needs() });
    let (isa, finish, target) = (*isa, epilogue.finish(), Target::new(output));
    match Algorithm::of(geometry, Pass::Forward) {
        Algorithm::Depthwise => depthwise::forward_packed(isa, geometry, bias, finish, input, filters, target),
        Algorithm::Widened(wide) => direct::forward_packed(isa, &wide, bias, finish, input, filters, target, slots),
        Algorithm::Direct | Algorithm::Scattered => {
            direct::forward_packed(isa, geometry, bias, finish, input, filters, target, slots);
        }
    }
}

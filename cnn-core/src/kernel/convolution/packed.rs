//! Weights that are packed once, for networks that do not learn any more. A convolution of few cells spends a third of its
//! time on packing otherwise.

use super::algorithm::{Algorithm, Pass};
use super::{Epilogue, depthwise, direct, widen};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{self, Isa};
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Scratch};
use core::ops::Range;

/// Weight and bias of a convolution as the loops of one instruction set read them.
#[derive(Clone, Debug)]
pub struct Packed {
    isa: Isa,
    geometry: Conv2dGeometry,
    filters: Filters,
    /// Of a widened convolution, for samples that are not finite.
    direct: Option<Filters>,
    bias: Buffer,
}

#[derive(Clone, Debug)]
struct Filters {
    packed: Buffer,
    finite: bool,
}

/// Packs weight `[g, kh, kw, ic / g, oc / g]` and bias `[oc]` for the current instruction set.
pub fn pack(geometry: &Conv2dGeometry, weight: &[f32], bias: Option<&[f32]>) -> Packed {
    super::check(geometry);
    assert_eq!(weight.len(), geometry.weight_len());
    assert!(bias.is_none_or(|bias| bias.len() == geometry.out_channels));
    let isa = isa::current();
    let bias = bias.unwrap_or(&[]);
    let (filters, direct, bias) = match Algorithm::of(geometry, Pass::Forward) {
        Algorithm::Depthwise => {
            let mut packed = Buffer::zeros(geometry.weight_len());
            depthwise::pack(geometry, weight, &mut packed);
            // It does not matter: nothing is padded.
            (Filters { packed, finite: true }, None, copy(bias))
        }
        Algorithm::Widened(wide) => {
            let mut parameters = Buffer::zeros(widen::copy_len(&wide));
            let (wide_weight, bias) = widen::parameters(geometry, &wide, weight, bias, &mut parameters);
            (filters(isa, &wide, wide_weight), Some(filters(isa, geometry, weight)), copy(bias))
        }
        Algorithm::Direct | Algorithm::Scattered | Algorithm::Winograd => {
            (filters(isa, geometry, weight), None, copy(bias))
        }
    };
    Packed { isa, geometry: *geometry, filters, direct, bias }
}

fn copy(values: &[f32]) -> Buffer {
    let mut copy = Buffer::zeros(values.len());
    copy.copy_from_slice(values);
    copy
}

fn filters(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32]) -> Filters {
    let mut packed = Buffer::zeros(direct::packed_len(geometry));
    let finite = direct::pack(isa, geometry, weight, &mut packed);
    Filters { packed, finite }
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
    let Packed { isa, filters, direct, bias, .. } = packed;
    assert!(packed.geometry == *geometry, "the weight was packed for another geometry");
    if batch == 0 {
        return;
    }
    let (_, slots) = scratch.lend(Needs { shared: 0, ..geometry.needs() });
    let (isa, finish) = (*isa, epilogue.finish());
    let mut run = |geometry: &Conv2dGeometry, bias: &[f32], filters: &Filters, samples: Range<usize>| {
        let (input_range, output_range) =
            (geometry.input().run(samples.clone(), input.len()), geometry.output().run(samples, output.len()));
        let (input, output) = (&input[input_range], Target::new(&mut output[output_range]));
        if depthwise::is(geometry) {
            depthwise::forward_packed(isa, geometry, bias, finish, input, &filters.packed, output);
        } else {
            let filters = (&filters.packed[..], filters.finite);
            direct::forward_packed(isa, geometry, bias, finish, input, filters, output, slots);
        }
    };
    match (Algorithm::of(geometry, Pass::Forward), direct) {
        (Algorithm::Widened(wide), Some(direct)) => {
            widen::for_each_run(isa, geometry.input(), input, |samples, finite| {
                if finite {
                    run(&wide, bias, filters, samples);
                } else {
                    // The wide bias is this one several times.
                    run(geometry, &bias[..bias.len().min(geometry.out_channels)], direct, samples);
                }
            });
        }
        _ => run(geometry, bias, filters, 0..batch),
    }
}

//! Weights that are packed once, for networks that do not learn any more, into a slice whose length is a constant of the
//! geometry. A convolution of few cells spends a third of its time on packing otherwise.
//!
//! In the slice come a head, which says how it was packed, the bias, which is there even if it is zero, and the filters;
//! behind those of a widened convolution, filters for samples that are not finite.

use super::algorithm::{Algorithm, Pass};
use super::{Epilogue, depthwise, direct, scatter, widen, winograd};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{self, Isa};
use crate::kernel::memory::buffer::{split, split_ref};
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Scratch};

/// What packed weights are for: how a layer is computed may depend on it, and never on the batch, so that a sample's bits are
/// the same alone and in any batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MadeFor {
    /// One sample at a time, or a few: large weights are as few bytes as can be.
    #[default]
    OneSample,
    /// Many samples at a time: large weights may be more bytes, if that saves work.
    Batches,
}

/// Values of the head: a cache line, as everything starts on one.
const HEAD: usize = 16;

/// How a slice was packed.
struct Head {
    isa: Isa,
    made_for: MadeFor,
    /// Whether the filters are finite, if that matters, and those behind them.
    finite: [bool; 2],
}

impl Head {
    fn write(&self, head: &mut [f32]) {
        let flag = |flag: bool| f32::from(u8::from(flag));
        let values = [
            self.isa.lanes() as f32,
            flag(self.made_for == MadeFor::Batches),
            flag(self.finite[0]),
            flag(self.finite[1]),
        ];
        head.fill(0.0);
        head[..values.len()].copy_from_slice(&values);
    }

    /// # Panics
    /// If another instruction set is the current one.
    fn read(head: &[f32]) -> Self {
        let isa = isa::current();
        assert!(head[0] == isa.lanes() as f32, "the weight was not packed for this instruction set");
        let made_for = if head[1] > 0.0 { MadeFor::Batches } else { MadeFor::OneSample };
        Self { isa, made_for, finite: [head[2] > 0.0, head[3] > 0.0] }
    }
}

/// Rounded up to whole cache lines.
const fn lines(values: usize) -> usize {
    values.saturating_add(HEAD - 1) / HEAD * HEAD
}

/// Values of the head, of the bias, of the filters and of those behind them.
const fn parts(geometry: &Conv2dGeometry, pass: Pass) -> [usize; 4] {
    let (bias, filters, behind) = match (Algorithm::of(geometry, pass), pass) {
        (Algorithm::Widened(wide), Pass::Forward) => {
            (wide.out_channels, direct::packed_len(&wide), direct::packed_len(geometry))
        }
        (Algorithm::Depthwise, _) => (geometry.out_channels, geometry.weight_len(), 0),
        (Algorithm::Scattered, Pass::BackwardInput) => (geometry.in_channels, scatter::packed_len(geometry), 0),
        (Algorithm::Winograd, Pass::Forward) => {
            let [packed, transformed] = winograd::packed_len(geometry);
            (geometry.out_channels, packed, transformed)
        }
        (_, Pass::BackwardInput) => (geometry.in_channels, direct::backward_input_needs(geometry).shared, 0),
        (_, _) => (geometry.out_channels, direct::packed_len(geometry), 0),
    };
    [HEAD, lines(bias), lines(filters), lines(behind)]
}

const fn len(geometry: &Conv2dGeometry, pass: Pass) -> usize {
    super::check(geometry);
    let [head, bias, filters, behind] = parts(geometry, pass);
    head.saturating_add(bias).saturating_add(filters).saturating_add(behind)
}

/// Values of a packed weight with its bias, whatever the instruction set.
///
/// # Panics
/// If groups do not share out the channels, or a step is none.
pub const fn packed_len(geometry: &Conv2dGeometry) -> usize {
    len(geometry, Pass::Forward)
}

/// What [`forward`] works in.
///
/// # Panics
/// As [`packed_len`].
pub const fn needs(geometry: &Conv2dGeometry) -> Needs {
    let shared = match Algorithm::of(geometry, Pass::Forward) {
        Algorithm::Winograd => winograd::packed_shared(geometry),
        _ => 0,
    };
    Needs { shared, ..geometry.needs() }
}

/// Packs weight `[g, kh, kw, ic / g, oc / g]` and bias `[oc]` for the current instruction set into [`packed_len`] values.
pub fn pack(geometry: &Conv2dGeometry, made_for: MadeFor, weight: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
    assert_eq!(packed.len(), packed_len(geometry));
    assert_eq!(weight.len(), geometry.weight_len());
    assert!(bias.is_none_or(|bias| bias.len() == geometry.out_channels));
    let isa = isa::current();
    let [head, to_bias, filters, behind] = split(packed, parts(geometry, Pass::Forward));
    to_bias.fill(0.0);
    let bias = bias.unwrap_or(&[]);
    to_bias[..bias.len()].copy_from_slice(bias);
    let finite = match Algorithm::packed(geometry, made_for) {
        Algorithm::Winograd => {
            winograd::pack(isa, geometry, weight, filters, behind);
            // It does not matter: tiles that are not finite are computed without padding.
            [true, true]
        }
        Algorithm::Depthwise => {
            depthwise::pack(geometry, weight, &mut filters[..geometry.weight_len()]);
            // It does not matter: nothing is padded.
            [true, true]
        }
        Algorithm::Widened(wide) => {
            let mut parameters = vec![0.0; widen::copy_len(&wide)];
            let (wide_weight, wide_bias) = widen::parameters(geometry, &wide, weight, bias, &mut parameters);
            to_bias[..wide_bias.len()].copy_from_slice(wide_bias);
            [direct::pack(isa, &wide, wide_weight, filters), direct::pack(isa, geometry, weight, behind)]
        }
        Algorithm::Direct | Algorithm::Scattered => [direct::pack(isa, geometry, weight, filters), true],
    };
    Head { isa, made_for, finite }.write(head);
}

/// All that is known of a packed weight before there is one. A layer whose geometry is a constant has this as a constant too,
/// and reckons nothing when it runs.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    geometry: Conv2dGeometry,
    /// For one sample, and for batches.
    algorithms: [Algorithm; 2],
    parts: [usize; 4],
    needs: Needs,
}

impl Packing {
    /// Of a weight of this geometry.
    ///
    /// # Panics
    /// If groups do not share out the channels, or a step is none.
    pub const fn of(geometry: &Conv2dGeometry) -> Self {
        super::check(geometry);
        Self {
            geometry: *geometry,
            algorithms: [
                Algorithm::packed(geometry, MadeFor::OneSample),
                Algorithm::packed(geometry, MadeFor::Batches),
            ],
            parts: parts(geometry, Pass::Forward),
            needs: needs(geometry),
        }
    }

    /// See [`forward`].
    ///
    /// # Panics
    /// As [`forward`].
    pub fn forward(
        &self,
        epilogue: Epilogue<'_>,
        input: &[f32],
        packed: &[f32],
        output: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let geometry = &self.geometry;
        let batch = super::batch(geometry, input.len(), output.len());
        assert!(epilogue.bias.is_none(), "the bias is packed with the weight");
        assert_eq!(packed.len(), self.parts.iter().sum::<usize>());
        let [head, bias, filters, behind] = split_ref(packed, self.parts);
        let Head { isa, made_for, finite } = Head::read(head);
        if batch == 0 {
            return;
        }
        let (shared, slots) = scratch.lend(self.needs);
        let finish = epilogue.finish();
        let own_bias = &bias[..geometry.out_channels];
        match &self.algorithms[usize::from(made_for == MadeFor::Batches)] {
            Algorithm::Winograd => {
                let [packed, transformed] = winograd::packed_len(geometry);
                let filters = [&filters[..packed], &behind[..transformed]];
                let output = Target::new(output);
                winograd::forward_packed(isa, geometry, own_bias, finish, input, filters, output, (shared, slots));
            }
            Algorithm::Depthwise => {
                let filters = &filters[..geometry.weight_len()];
                depthwise::forward_packed(isa, geometry, own_bias, finish, input, filters, Target::new(output));
            }
            Algorithm::Widened(wide) => {
                widen::for_each_run(isa, geometry.input(), input, |samples, is_finite| {
                    let input = &input[geometry.input().run(samples.clone(), input.len())];
                    let run = geometry.output().run(samples, output.len());
                    let output = Target::new(&mut output[run]);
                    // The wide bias is this one several times.
                    let (geometry, bias, filters) = if is_finite {
                        (wide, &bias[..wide.out_channels], (filters, finite[0]))
                    } else {
                        (geometry, own_bias, (behind, finite[1]))
                    };
                    direct::forward_packed(isa, geometry, bias, finish, input, filters, output, slots);
                });
            }
            Algorithm::Direct | Algorithm::Scattered => {
                let filters = (filters, finite[0]);
                direct::forward_packed(isa, geometry, own_bias, finish, input, filters, Target::new(output), slots);
            }
        }
    }
}

/// input `[n, ih, iw, ic]` -> output `[n, oh, ow, oc]`: [`convolution::forward`](super::forward) with a weight and a bias that
/// were packed for this geometry.
///
/// # Panics
/// If the epilogue has a bias of its own, or the weight was packed for another instruction set.
pub fn forward(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    packed: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    Packing::of(geometry).forward(epilogue, input, packed, output, scratch);
}

/// [`packed_len`] of a weight that is for the way back, with a bias for each input channel: a transposed convolution.
pub(super) const fn packed_len_to_input(geometry: &Conv2dGeometry) -> usize {
    len(geometry, Pass::BackwardInput)
}

/// Packs weight `[g, kh, kw, ic / g, oc / g]` and bias `[ic]` for [`to_input`] into [`packed_len_to_input`] values.
pub(super) fn pack_to_input(
    geometry: &Conv2dGeometry,
    made_for: MadeFor,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [f32],
) {
    assert_eq!(packed.len(), packed_len_to_input(geometry));
    assert_eq!(weight.len(), geometry.weight_len());
    assert!(bias.is_none_or(|bias| bias.len() == geometry.in_channels));
    let isa = isa::current();
    let [head, to_bias, filters, _] = split(packed, parts(geometry, Pass::BackwardInput));
    to_bias.fill(0.0);
    let bias = bias.unwrap_or(&[]);
    to_bias[..bias.len()].copy_from_slice(bias);
    let finite = match Algorithm::of(geometry, Pass::BackwardInput) {
        Algorithm::Depthwise => {
            depthwise::pack_to_input(geometry, weight, filters);
            true
        }
        Algorithm::Scattered => {
            scatter::pack_filters(isa, geometry, weight, filters);
            true
        }
        Algorithm::Direct | Algorithm::Widened(_) | Algorithm::Winograd => {
            direct::pack_to_input(isa, geometry, weight, filters)
        }
    };
    Head { isa, made_for, finite: [finite, true] }.write(head);
}

/// grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`, with a weight and a bias that were packed for this geometry.
pub(super) fn to_input(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    grad_output: &[f32],
    packed: &[f32],
    grad_input: &mut [f32],
    scratch: &mut Scratch,
) {
    let batch = super::batch(geometry, grad_input.len(), grad_output.len());
    assert!(epilogue.bias.is_none(), "the bias is packed with the weight");
    assert_eq!(packed.len(), packed_len_to_input(geometry));
    let [head, bias, filters, _] = split_ref(packed, parts(geometry, Pass::BackwardInput));
    let Head { isa, finite, .. } = Head::read(head);
    if batch == 0 {
        return;
    }
    let (_, slots) = scratch.lend(Needs { shared: 0, ..geometry.needs() });
    let (bias, finish, target) = (&bias[..geometry.in_channels], epilogue.finish(), Target::new(grad_input));
    match Algorithm::of(geometry, Pass::BackwardInput) {
        Algorithm::Depthwise => {
            depthwise::to_input_packed(isa, geometry, bias, finish, grad_output, filters, target);
        }
        Algorithm::Scattered => {
            let epilogue = Epilogue { bias: Some(bias), ..epilogue };
            scatter::to_input_packed(isa, geometry, epilogue, filters, grad_output, target, slots);
        }
        Algorithm::Direct | Algorithm::Widened(_) | Algorithm::Winograd => {
            let filters = (filters, finite[0]);
            direct::to_input_packed(isa, geometry, bias, finish, grad_output, filters, target, slots);
        }
    }
}

//! Convolution, directly: every product of a value and a weight is one multiply-add of the register tile.

use super::correlation::{COPY, Correlation, Filters, Phase, backward_matrix, correlate, forward_matrix, pack_filters};
use super::thin::{self, Thin};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{Isa, MAX_LANES};
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Slots};
use crate::kernel::tile::Finish;

/// Whether the weight is read where it is: a packed one is not read often enough to pay for its packing, and rows of a
/// small one do not evict one another from the cache.
const fn reads_in_place(cells: usize, weight_len: usize) -> bool {
    cells <= thin::ROWS || (cells < 128 && weight_len <= SMALL)
}

/// Values of a small weight at most.
const SMALL: usize = 1 << 16;

/// Whether it is a product with one large weight, as a linear layer is.
fn is_large_product(geometry: &Conv2dGeometry) -> bool {
    let Conv2dGeometry { in_size, kernel_size, groups, padding, .. } = geometry;
    [*in_size, *kernel_size] == [[1, 1]; 2] && *groups == 1 && padding.is_zero() && geometry.weight_len() > SMALL
}

/// What [`forward`] works in.
pub(super) const fn forward_needs(geometry: &Conv2dGeometry) -> Needs {
    let correlation = Correlation::forward(geometry);
    Needs { shared: correlation.packed_len(), per_thread: correlation.per_thread() }
}

/// What [`backward_input`] works in, at most: strides may have more phases than a compiler wants to count.
pub(super) const fn backward_input_needs(geometry: &Conv2dGeometry) -> Needs {
    let Conv2dGeometry { in_channels, groups, kernel_size, stride, .. } = *geometry;
    let columns = groups.saturating_mul((in_channels / groups).next_multiple_of(MAX_LANES));
    // The phases share out the taps among them.
    let shared = (kernel_size[0] * kernel_size[1] * (geometry.out_channels / groups)).saturating_mul(columns);
    // Cells of the first phase, and those that it meets; rows that nothing reads may be more.
    let (met, in_phase) =
        (geometry.out_size(), [geometry.in_size[0].div_ceil(stride[0]), geometry.in_size[1].div_ceil(stride[1])]);
    let per_thread = if stride[0] == 1 && stride[1] == 1 {
        Correlation::of_phase(geometry, 0).0.per_thread()
    } else if kernel_size[0] == 1
        && kernel_size[1] == 1
        && geometry.padding.is_zero()
        && in_phase[0] <= met[0]
        && in_phase[1] <= met[1]
    {
        // One phase has a tap, and its cells are those of the output.
        Correlation::of_phase(geometry, 0).0.per_thread()
    } else {
        // A copy is that large unless one row needs more: in the first phase, no other has more columns or taps.
        let [rows, columns] = [reach(geometry, 0, 1), reach(geometry, 1, in_phase[1])];
        let row = rows.saturating_mul(columns).saturating_mul(geometry.out_channels.saturating_add(MAX_LANES));
        if row > COPY { row } else { COPY }
    };
    Needs { shared, per_thread }
}

/// Cells of the output that this many neighbours of a phase meet along an axis, at most.
const fn reach(geometry: &Conv2dGeometry, axis: usize, cells: usize) -> usize {
    let [tap_step, distance] = Phase::steps(geometry, axis);
    cells + (geometry.kernel_size[axis].div_ceil(tap_step) - 1) * distance
}

/// Values of a packed weight, at most.
pub(super) const fn packed_len(geometry: &Conv2dGeometry) -> usize {
    Correlation::forward(geometry).packed_len()
}

/// Packs a weight for [`forward_packed`], and returns whether it is finite, if that matters.
pub(super) fn pack(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32], packed: &mut [f32]) -> bool {
    let correlation = Correlation::forward(geometry);
    pack_filters(isa, &correlation, weight, |group| forward_matrix(&correlation, group), false, packed)
}

/// [`forward`] with a weight that is packed, and what [`pack`] said of it.
pub(super) fn forward_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    (packed, finite): (&[f32], bool),
    output: Target,
    slots: &Slots,
) {
    let filters = Filters { packed, in_place: &[], finite };
    correlate(isa, &Correlation::forward(geometry), filters, bias, finish, input, output, slots);
}

/// `bias` is empty or has a value for each output channel. The shell has checked all lengths.
pub(super) fn forward(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    (packed, slots): (&mut [f32], &Slots),
) {
    let map = geometry.output();
    let cells = map.samples(output.len()) * map.cells();
    if cells <= thin::ROWS && is_large_product(geometry) {
        let thin = Thin {
            a: input,
            a_step: geometry.input().stride,
            rows: cells,
            depth: geometry.in_channels,
            weight,
            columns: geometry.out_channels,
            bias,
            c: Target::new(output),
            c_step: map.stride,
            finish,
        };
        return thin.run(isa);
    }
    let correlation = Correlation::forward(geometry);
    let in_place = reads_in_place(cells, geometry.weight_len());
    let matrix = |group| forward_matrix(&correlation, group);
    let finite = pack_filters(isa, &correlation, weight, matrix, in_place, packed);
    let filters = Filters { packed, in_place: if in_place { weight } else { &[] }, finite };
    correlate(isa, &correlation, filters, bias, finish, input, Target::new(output), slots);
}

/// `bias` is empty or has a value for each input channel. The shell has checked all lengths.
pub(super) fn backward_input(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: Target,
    (packed, slots): (&mut [f32], &Slots),
) {
    let finite = pack_to_input(isa, geometry, weight, packed);
    to_input_packed(isa, geometry, bias, finish, grad_output, (packed, finite), grad_input, slots);
}

/// Packs a weight for [`to_input_packed`], phase by phase, and returns whether it is finite, if that matters.
pub(super) fn pack_to_input(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32], mut packed: &mut [f32]) -> bool {
    let mut finite = true;
    for index in 0..Correlation::phases(geometry) {
        let (correlation, phases) = Correlation::of_phase(geometry, index);
        let (these, rest) = packed.split_at_mut(correlation.packed_len());
        packed = rest;
        let matrix = |group| backward_matrix(geometry, phases, group);
        finite &= pack_filters(isa, &correlation, weight, matrix, false, these);
    }
    finite
}

/// [`backward_input`] with a weight that is packed, and what [`pack_to_input`] said of it.
pub(super) fn to_input_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    grad_output: &[f32],
    (mut packed, finite): (&[f32], bool),
    grad_input: Target,
    slots: &Slots,
) {
    for index in 0..Correlation::phases(geometry) {
        let (correlation, _) = Correlation::of_phase(geometry, index);
        let (these, rest) = packed.split_at(correlation.packed_len());
        packed = rest;
        if correlation.depth() == 0 && finish.only_adds() && bias.is_empty() {
            continue;
        }
        let filters = Filters { packed: these, in_place: &[], finite };
        correlate(isa, &correlation, filters, bias, finish, grad_output, grad_input, slots);
    }
}

//! Filters as a correlation reads them: packed panel by panel, or where they are.

use super::{Correlation, Phase};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::finite::AreFinite;
use crate::kernel::tile::VECTORS;
use crate::kernel::tile::pack::{Matrix, pack, panel, panel_count, panels};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Where the filters are: `[group][panel][depth][width]` packed, or in place as rows of `[depth][columns]`.
#[derive(Clone, Copy)]
pub(in super::super) struct Filters<'a> {
    pub(in super::super) packed: &'a [f32],
    /// The whole weight, whose full panels are read in place; empty if all panels are packed.
    pub(in super::super) in_place: &'a [f32],
    /// What [`pack_filters`] said of them.
    pub(in super::super) finite: bool,
}

/// The filters of a group as they lie in the weight: those of the forward pass.
pub(in super::super) fn forward_matrix(correlation: &Correlation, group: usize) -> Matrix {
    let depth = correlation.depth();
    Matrix {
        start: group * depth * correlation.columns,
        count: [1, 1, depth],
        step: [0, 0, correlation.columns as isize],
        columns: correlation.columns,
        column_step: 1,
    }
}

/// The filters of a group as the gradient of the input meets them in these phases: the taps backwards, and the channels of
/// the input as columns.
pub(in super::super) fn backward_matrix(geometry: &Conv2dGeometry, phases: [Phase; 2], group: usize) -> Matrix {
    let (ic, oc) = (geometry.in_channels / geometry.groups, geometry.out_channels / geometry.groups);
    let ([kh, kw], [vertical, horizontal]) = (geometry.kernel_size, phases);
    Matrix {
        start: (group * kh * kw + vertical.last_tap * kw + horizontal.last_tap) * ic * oc,
        count: [vertical.taps, horizontal.taps, oc],
        step: [-((vertical.tap_step * kw * ic * oc) as isize), -((horizontal.tap_step * ic * oc) as isize), 1],
        columns: ic,
        column_step: oc,
    }
}

/// Packs the filters of every group; with `only_partial`, just the last panel of a group if it is not full. Returns whether
/// all filters are finite, if padding is multiplied with them; true otherwise.
pub(in super::super) fn pack_filters(
    isa: Isa,
    correlation: &Correlation,
    weight: &[f32],
    group: impl Fn(usize) -> Matrix + Sync,
    only_partial: bool,
    packed: &mut [f32],
) -> bool {
    struct Task<'a> {
        weight: &'a [f32],
        matrix: Matrix,
        group: usize,
        index: usize,
        only_partial: bool,
        packed: Target,
        /// Where to say that some are not finite, if anybody asks.
        finite: Option<&'a AtomicBool>,
    }
    impl Kernel for Task<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let depth = self.matrix.depth();
            if self.index >= panels::<S>(self.matrix.columns) {
                return;
            }
            let (first, count, width) = panel::<S>(self.matrix.columns, self.index);
            let check = |values: &[f32], rows: usize, width: usize, step: usize| {
                if let Some(finite) = self.finite
                    && !(AreFinite { values, rows, width, step }).run(simd)
                {
                    finite.store(false, Relaxed);
                }
            };
            if self.only_partial && count == VECTORS * S::LANES {
                check(&self.weight[self.matrix.start + first..], depth, count, self.matrix.columns);
                return;
            }
            let start = depth * (self.group * self.matrix.columns.next_multiple_of(S::LANES) + first);
            // SAFETY: panels lie one behind the other and end before `packed_len`; each has one task.
            let to = unsafe { self.packed.slice(start, depth * width) };
            pack(simd, self.weight, &self.matrix, self.index, to);
            // Now they are in the nearest cache.
            check(to, 1, to.len(), 0);
        }
    }
    assert!(packed.len() >= correlation.packed_len());
    let most_panels = panel_count(isa, correlation.columns);
    let target = Target::new(packed);
    let work = correlation.groups * correlation.depth() * correlation.columns * 4;
    let finite = AtomicBool::new(true);
    let asked = correlation.reaches_over().then_some(&finite);
    chunk::for_each(correlation.groups * most_panels, work, |task| {
        let (group_index, index) = (task / most_panels, task % most_panels);
        let matrix = group(group_index);
        isa.run(Task { weight, matrix, group: group_index, index, only_partial, packed: target, finite: asked });
    });
    finite.into_inner()
}

impl Filters<'_> {
    /// The first value of a panel, and how far its rows are apart.
    pub(super) fn panel<S: Simd>(
        &self,
        correlation: &Correlation,
        group: usize,
        first: usize,
        columns: usize,
        width: usize,
    ) -> (*const f32, usize) {
        let depth = correlation.depth();
        if self.in_place.is_empty() || columns < VECTORS * S::LANES {
            let start = depth * (group * correlation.columns.next_multiple_of(S::LANES) + first);
            (self.packed[start..start + depth * width].as_ptr(), width)
        } else {
            let weight = &self.in_place[group * depth * correlation.columns..(group + 1) * depth * correlation.columns];
            (weight[first..].as_ptr(), correlation.columns)
        }
    }
}

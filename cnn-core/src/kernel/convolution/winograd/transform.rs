//! The transforms of F(4, 3), and of F(3, 4) with the same points, along one axis. Everything else is them, along rows and then along columns.
//!
//! Toom and Cook: a product of polynomials is known from its values at some points. The points are 0, 5/8, -5/8, 3/2, -3/2
//! and infinity. Of all pairs of inner and outer points these round within a hundredth of the least, and half as much as the
//! usual 1, -1, 2, -2 (why points matter: Barabasz, Anderson, Soodhalter, Gregg, <https://arxiv.org/abs/1803.10986>);
//! what the transform of the source multiplies with is exact in f32.

use crate::kernel::isa::Simd;

/// The inner points are plus and minus this.
const INNER: f32 = 0.625;
/// The outer points are plus and minus this.
const OUTER: f32 = 1.5;
const INNER_SQUARE: f32 = INNER * INNER;
const OUTER_SQUARE: f32 = OUTER * OUTER;

/// Cells of the source under a tile, along an axis, and points at which everything is multiplied.
pub(super) const POINTS: usize = 6;
/// Cells of the target in a tile, along an axis.
pub(super) const CELLS: usize = 4;
/// Taps of a filter along an axis.
pub(super) const TAPS: usize = 3;

/// Six cells of the source at the points: the rows are `x (x - p1) .. (x - p4)` without one factor each.
#[inline(always)]
pub(super) fn source<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::Vector; POINTS]) -> [S::Vector; POINTS] {
    let [inner, outer] = [simd.splat(INNER), simd.splat(OUTER)];
    let [less_inner, less_outer] = [simd.splat(-INNER), simd.splat(-OUTER)];
    let [less_inner_square, less_outer_square] = [simd.splat(-INNER_SQUARE), simd.splat(-OUTER_SQUARE)];
    let (both, less_sum) = (simd.splat(INNER_SQUARE * OUTER_SQUARE), simd.splat(-INNER_SQUARE - OUTER_SQUARE));
    let even = simd.mul_add(less_outer_square, d2, d4);
    let odd = simd.mul_add(less_outer_square, d1, d3);
    let outer_even = simd.mul_add(less_inner_square, d2, d4);
    let outer_odd = simd.mul_add(less_inner_square, d1, d3);
    [
        simd.mul_add(both, d0, simd.mul_add(less_sum, d2, d4)),
        simd.mul_add(inner, odd, even),
        simd.mul_add(less_inner, odd, even),
        simd.mul_add(outer, outer_odd, outer_even),
        simd.mul_add(less_outer, outer_odd, outer_even),
        simd.mul_add(both, d1, simd.mul_add(less_sum, d3, d5)),
    ]
}

/// One over the product of a point's distances from all others.
const AT_ZERO: f32 = 1.0 / (INNER_SQUARE * OUTER_SQUARE);
const AT_INNER: f32 = 1.0 / (2.0 * INNER_SQUARE * (INNER_SQUARE - OUTER_SQUARE));
const AT_OUTER: f32 = 1.0 / (2.0 * OUTER_SQUARE * (OUTER_SQUARE - INNER_SQUARE));

/// Three taps at the points.
#[inline(always)]
pub(super) fn filter<S: Simd>(simd: S, [g0, g1, g2]: [S::Vector; TAPS]) -> [S::Vector; POINTS] {
    let even = simd.mul_add(simd.splat(INNER_SQUARE), g2, g0);
    let outer_even = simd.mul_add(simd.splat(OUTER_SQUARE), g2, g0);
    [
        simd.mul(g0, simd.splat(AT_ZERO)),
        simd.mul(simd.mul_add(simd.splat(INNER), g1, even), simd.splat(AT_INNER)),
        simd.mul(simd.mul_add(simd.splat(-INNER), g1, even), simd.splat(AT_INNER)),
        simd.mul(simd.mul_add(simd.splat(OUTER), g1, outer_even), simd.splat(AT_OUTER)),
        simd.mul(simd.mul_add(simd.splat(-OUTER), g1, outer_even), simd.splat(AT_OUTER)),
        g2,
    ]
}

/// Products at the points to four cells of the target.
#[inline(always)]
pub(super) fn target<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::Vector; POINTS]) -> [S::Vector; CELLS] {
    let [sum, difference] = [simd.add(m1, m2), simd.sub(m1, m2)];
    let [outer_sum, outer_difference] = [simd.add(m3, m4), simd.sub(m3, m4)];
    let [inner, outer] = [simd.splat(INNER), simd.splat(OUTER)];
    let [inner_square, outer_square] = [simd.splat(INNER_SQUARE), simd.splat(OUTER_SQUARE)];
    let [inner_cube, outer_cube] = [simd.splat(INNER_SQUARE * INNER), simd.splat(OUTER_SQUARE * OUTER)];
    [
        simd.add(m0, simd.add(sum, outer_sum)),
        simd.mul_add(inner, difference, simd.mul(outer, outer_difference)),
        simd.mul_add(inner_square, sum, simd.mul(outer_square, outer_sum)),
        simd.mul_add(inner_cube, difference, simd.mul_add(outer_cube, outer_difference, m5)),
    ]
}

/// Four cells of the target's gradient at the points: a filter of four taps.
#[inline(always)]
pub(super) fn gradient<S: Simd>(simd: S, [g0, g1, g2, g3]: [S::Vector; CELLS]) -> [S::Vector; POINTS] {
    let [inner_square, outer_square] = [simd.splat(INNER_SQUARE), simd.splat(OUTER_SQUARE)];
    let (even, odd) = (simd.mul_add(inner_square, g2, g0), simd.mul_add(inner_square, g3, g1));
    let (outer_even, outer_odd) = (simd.mul_add(outer_square, g2, g0), simd.mul_add(outer_square, g3, g1));
    let [at_inner, at_outer] = [simd.splat(AT_INNER), simd.splat(AT_OUTER)];
    [
        simd.mul(g0, simd.splat(AT_ZERO)),
        simd.mul(simd.mul_add(simd.splat(INNER), odd, even), at_inner),
        simd.mul(simd.mul_add(simd.splat(-INNER), odd, even), at_inner),
        simd.mul(simd.mul_add(simd.splat(OUTER), outer_odd, outer_even), at_outer),
        simd.mul(simd.mul_add(simd.splat(-OUTER), outer_odd, outer_even), at_outer),
        g3,
    ]
}

/// Products at the points to three taps of the weight's gradient: the target of F(3, 4).
#[inline(always)]
pub(super) fn taps<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::Vector; POINTS]) -> [S::Vector; TAPS] {
    let [sum, difference] = [simd.add(m1, m2), simd.sub(m1, m2)];
    let [outer_sum, outer_difference] = [simd.add(m3, m4), simd.sub(m3, m4)];
    [
        simd.add(m0, simd.add(sum, outer_sum)),
        simd.mul_add(simd.splat(INNER), difference, simd.mul(simd.splat(OUTER), outer_difference)),
        simd.mul_add(simd.splat(INNER_SQUARE), sum, simd.mul_add(simd.splat(OUTER_SQUARE), outer_sum, m5)),
    ]
}

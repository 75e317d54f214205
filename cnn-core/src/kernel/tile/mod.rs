//! The register tile, which all products of the library run on: `c[m][n] (+)= sum over k of a[m][k] * b[k][n]`.
//!
//! `a` is never copied into place. Its rows and its depth are three nested [`Axes`] each, so that a row can be a pixel, a
//! filter's tap or a sample, and the depth a window or a whole map: which one is a choice of steps. `b` lies as rows of
//! one or two vectors, packed or in place. A tile keeps `MR x NV` vectors of `c` in registers over the whole depth, and
//! each step of the depth is a broadcast of `MR` values of `a` times `NV` vectors of `b`.

pub(crate) mod pack;

use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::{FusedActivation, Then};

/// Three nested loops over memory, outermost first: how often, and how many values apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    pub(crate) count: [usize; 3],
    pub(crate) step: [usize; 3],
}

impl Axes {
    /// How many places they visit.
    pub(crate) fn len(&self) -> usize {
        self.count[0] * self.count[1] * self.count[2]
    }

    /// How far the last place is behind the first, with `step` being these steps or those of the same loops elsewhere: at
    /// the end of all memory where no number says it.
    pub(crate) fn reach(&self, step: [usize; 3]) -> usize {
        let reach = |axis: usize| self.count[axis].saturating_sub(1).saturating_mul(step[axis]);
        reach(0).saturating_add(reach(1)).saturating_add(reach(2))
    }

    /// The same places in the same order with the longest innermost loop, where neighbouring loops go in equal steps.
    pub(crate) fn merged(self) -> Self {
        let Self { count: [mut c0, mut c1, mut c2], step: [mut s0, mut s1, mut s2] } = self;
        if c1 == 1 || c2 == 1 || s1 == c2 * s2 {
            if c2 == 1 {
                s2 = s1;
            }
            (c2, c1, s1, c0, s0) = (c1 * c2, c0, s0, 1, 0);
            if c1 == 1 || c2 == 1 || s1 == c2 * s2 {
                if c2 == 1 {
                    s2 = s1;
                }
                (c2, c1, s1) = (c1 * c2, 1, 0);
            }
        } else if c0 == 1 || c1 == 1 || s0 == c1 * s1 {
            if c1 == 1 {
                s1 = s0;
            }
            (c1, c0, s0) = (c0 * c1, 1, 0);
        }
        Self { count: [c0, c1, c2], step: [s0, s1, s2] }
    }
}

/// A product of `rows.len()` rows and at most two vectors of columns.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    /// The value of the first row at the first step of the depth.
    pub(crate) a: *const f32,
    /// From a row of `a` to the next.
    pub(crate) rows: &'a Axes,
    /// From a step of the depth to the next.
    pub(crate) depth: &'a Axes,
    /// As many values for each step of the depth as the columns fill vectors, `b_step` apart.
    pub(crate) b: *const f32,
    pub(crate) b_step: usize,
    /// The first value of the result, and the steps of `rows` there.
    pub(crate) c: *mut f32,
    pub(crate) c_step: [usize; 3],
    /// How many columns are stored.
    pub(crate) columns: usize,
    /// Null, or a value to add for each column.
    pub(crate) bias: *const f32,
    pub(crate) finish: Finish,
    pub(crate) fetches: Fetches,
}

/// What is asked for before it is needed, because so many rows far apart are more than a processor guesses by itself. It takes
/// time where all of it is in a cache.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fetches {
    /// The rows of `a` of the next tile.
    pub(crate) rows: bool,
    /// The rows of `c` of a tile.
    pub(crate) target: bool,
}

/// What happens to a sum before it is stored.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    /// Whether what is in the target is added.
    pub(crate) add: bool,
    /// One that is not for registers is up to who calls [`multiply`]: [`Finish::apply`].
    pub(crate) fused: FusedActivation,
}

impl Finish {
    pub(crate) const STORE: Self = Self { add: false, fused: FusedActivation::None };
    pub(crate) const ADD: Self = Self { add: true, ..Self::STORE };

    /// Whether the target stays as it is where the sum is zero.
    pub(crate) fn only_adds(&self) -> bool {
        self.add && matches!(self.fused, FusedActivation::None)
    }

    /// Applies a function that is not for registers to what was written: `columns` values at each of these places.
    ///
    /// # Safety
    /// They are in memory, and nobody else uses them.
    #[inline(always)]
    pub(crate) unsafe fn apply<S: Simd>(
        self,
        simd: S,
        c: *mut f32,
        count: [usize; 3],
        step: [usize; 3],
        columns: usize,
    ) {
        if let Some(then) = self.fused.then() {
            // SAFETY: the caller's promise.
            unsafe { apply(then, simd.isa(), c, Axes { count, step }, columns) };
        }
    }
}

/// # Safety
/// As [`Finish::apply`].
#[inline(never)]
unsafe fn apply(then: &Then, isa: Isa, c: *mut f32, places: Axes, columns: usize) {
    let Axes { count, step } = places.merged();
    for outer in 0..count[0] {
        for middle in 0..count[1] {
            let first = c.wrapping_add(outer * step[0] + middle * step[1]);
            // SAFETY: the caller's promise.
            unsafe { then.apply(isa, [count[2], columns], (first, step[2])) };
        }
    }
}

/// How many vectors of columns a tile has at most.
pub(crate) const VECTORS: usize = 2;

/// Rows of the highest tile: as many sums as fit the registers beside `b` and a broadcast, 28 of 32 or 12 of 16; fewer with
/// one vector of columns, where the pointers to the rows run out of registers first.
pub(crate) const fn height<S: Simd, const NV: usize>() -> usize {
    match S::REGISTERS {
        32 if NV == 1 => 16,
        32 => 14,
        16 if NV == 1 => 12,
        16 => 6,
        _ => 4,
    }
}

/// Computes the rows `first..end` of a product.
///
/// # Safety
/// All places of `a` that rows and depth lead to are readable, `b` at every step of the depth for the vectors that
/// `columns <= VECTORS * LANES` fill (unless the depth is empty), `bias` if it is not null and `c` at every row for
/// `columns` values; nothing else writes to `c` meanwhile.
pub(crate) unsafe fn multiply<S: Simd>(simd: S, product: &Product<'_>, first: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if product.columns <= S::LANES {
            strips::<S, 1>(simd, product, first, end);
        } else {
            strips::<S, 2>(simd, product, first, end);
        }
    }
}

/// As many of the highest tiles as fit, and the rest of the rows as one lower tile.
///
/// # Safety
/// As [`multiply`], for `NV` vectors.
#[inline(always)]
unsafe fn strips<S: Simd, const NV: usize>(simd: S, product: &Product<'_>, first: usize, end: usize) {
    let rest = (end - first) % height::<S, NV>();
    let middle = end - rest;
    // SAFETY: the caller's promise; the two strips are the rows `first..end`.
    unsafe {
        if first < middle {
            highest::<S, NV>(simd, product, first, middle);
        }
        match rest {
            0 => {}
            1 => strip::<S, 1, NV>(simd, product, middle, end),
            2..=4 => strip::<S, 4, NV>(simd, product, middle, end),
            5..=8 => half::<S, NV>(simd, product, middle, end),
            _ => highest::<S, NV>(simd, product, middle, end),
        }
    }
}

/// A strip of tiles of 8 rows, where that is less than `height`. (A match on constants is decided before its arms are
/// compiled, a comparison of them is not.)
///
/// # Safety
/// As [`multiply`], for `NV` vectors.
#[inline(always)]
unsafe fn half<S: Simd, const NV: usize>(simd: S, product: &Product<'_>, first: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match (NV, S::REGISTERS) {
            (_, 32) | (1, 16) => strip::<S, 8, NV>(simd, product, first, end),
            _ => highest::<S, NV>(simd, product, first, end),
        }
    }
}

/// A strip of tiles of `height` rows.
///
/// # Safety
/// As [`multiply`], for `NV` vectors.
#[inline(always)]
unsafe fn highest<S: Simd, const NV: usize>(simd: S, product: &Product<'_>, first: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match (NV, S::REGISTERS) {
            (1, 32) => strip::<S, 16, NV>(simd, product, first, end),
            (_, 32) => strip::<S, 14, NV>(simd, product, first, end),
            (1, 16) => strip::<S, 12, NV>(simd, product, first, end),
            (_, 16) => strip::<S, 6, NV>(simd, product, first, end),
            _ => strip::<S, 4, NV>(simd, product, first, end),
        }
    }
}

/// Tiles of `MR` rows one below another, in a function of its own: the registers are all its own.
///
/// # Safety
/// As [`multiply`], for `NV` vectors.
#[inline(always)]
unsafe fn strip<S: Simd, const MR: usize, const NV: usize>(simd: S, product: &Product<'_>, first: usize, end: usize) {
    struct Strip<'a, const MR: usize, const NV: usize> {
        product: &'a Product<'a>,
        first: usize,
        end: usize,
    }
    impl<const MR: usize, const NV: usize> Kernel for Strip<'_, MR, NV> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let Self { product, first, end } = self;
            let mut cursor = Cursor::at(product, first);
            let mut row = first;
            while row < end {
                let valid = MR.min(end - row);
                let mut a = [product.a; MR];
                let mut c = [product.c; MR];
                for m in 0..MR {
                    // A tile that is too high computes its last row more than once.
                    if m < valid {
                        (a[m], c[m]) = cursor.next(product);
                    } else {
                        (a[m], c[m]) = (a[m - 1], c[m - 1]);
                    }
                }
                if product.fetches.target {
                    for c in c {
                        (0..NV).for_each(|v| simd.prefetch(c.wrapping_add(v * S::LANES)));
                    }
                }
                // SAFETY: `strip`'s caller's promise: the pointers are those of rows below `end`.
                unsafe {
                    let sums = accumulate::<S, MR, NV>(simd, &a, &cursor, product);
                    finish(simd, sums, &c, valid, product);
                }
                row += MR;
            }
        }
    }
    simd.run(Strip::<MR, NV> { product, first, end });
}

/// Walks over the rows: adding is faster than dividing for each.
#[derive(Clone)]
struct Cursor {
    index: [usize; 2],
    a: [*const f32; 3],
    c: [*mut f32; 3],
}

impl Cursor {
    #[inline(always)]
    fn at(product: &Product<'_>, row: usize) -> Self {
        let Axes { count, step } = product.rows;
        let index = [row / count[2] % count[1], row % count[2]];
        let outer = row / count[2] / count[1];
        let a0 = product.a.wrapping_add(outer * step[0]);
        let a1 = a0.wrapping_add(index[0] * step[1]);
        let a2 = a1.wrapping_add(index[1] * step[2]);
        let c0 = product.c.wrapping_add(outer * product.c_step[0]);
        let c1 = c0.wrapping_add(index[0] * product.c_step[1]);
        let c2 = c1.wrapping_add(index[1] * product.c_step[2]);
        Self { index, a: [a0, a1, a2], c: [c0, c1, c2] }
    }

    /// The pointers of this row; then it stands on the next one, which may be behind the last.
    #[inline(always)]
    fn next(&mut self, product: &Product<'_>) -> (*const f32, *mut f32) {
        let here = (self.a[2], self.c[2]);
        let Axes { count, step } = product.rows;
        self.index[1] += 1;
        if self.index[1] < count[2] {
            self.a[2] = self.a[2].wrapping_add(step[2]);
            self.c[2] = self.c[2].wrapping_add(product.c_step[2]);
            return here;
        }
        self.index = [self.index[0] + 1, 0];
        if self.index[0] < count[1] {
            self.a[1] = self.a[1].wrapping_add(step[1]);
            self.c[1] = self.c[1].wrapping_add(product.c_step[1]);
        } else {
            self.index[0] = 0;
            self.a[0] = self.a[0].wrapping_add(step[0]);
            self.c[0] = self.c[0].wrapping_add(product.c_step[0]);
            (self.a[1], self.c[1]) = (self.a[0], self.c[0]);
        }
        (self.a[2], self.c[2]) = (self.a[1], self.c[1]);
        here
    }
}

/// Steps of the depth between requests for the rows ahead: a cache line, where the depth lies together.
const LINE: usize = 16;

/// # Safety
/// As [`multiply`]; `a` are pointers to rows, and `ahead` stands on the next one, or where it would be.
#[inline(always)]
unsafe fn accumulate<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    a: &[*const f32; MR],
    ahead: &Cursor,
    product: &Product<'_>,
) -> [[S::Vector; NV]; MR] {
    let mut sums = [[simd.splat(0.0); NV]; MR];
    let Axes { count, step } = *product.depth;
    let mut b = product.b;
    for outer in 0..count[0] {
        for middle in 0..count[1] {
            let mut k = outer * step[0] + middle * step[1];
            let mut rest = count[2];
            while rest > 0 {
                let mut line = rest;
                if product.fetches.rows {
                    line = rest.min(LINE);
                    let mut ahead = ahead.clone();
                    (0..MR).for_each(|_| simd.prefetch(ahead.next(product).0.wrapping_add(k)));
                }
                for _ in 0..line {
                    // SAFETY: `k` is a place of the depth and `b` has advanced as many rows: the caller's promise.
                    unsafe {
                        let mut columns = [simd.splat(0.0); NV];
                        for (v, columns) in columns.iter_mut().enumerate() {
                            *columns = simd.load(b.add(v * S::LANES));
                        }
                        for m in 0..MR {
                            let value = simd.splat(*a[m].add(k));
                            for v in 0..NV {
                                sums[m][v] = simd.mul_add(value, columns[v], sums[m][v]);
                            }
                        }
                    }
                    k += step[2];
                    b = b.wrapping_add(product.b_step);
                }
                rest -= line;
            }
        }
    }
    sums
}

/// # Safety
/// As [`multiply`]; the first `valid` of `c` are pointers to rows of the result.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "m and v index several arrays, and all loops look alike")]
unsafe fn finish<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    mut sums: [[S::Vector; NV]; MR],
    c: &[*mut f32; MR],
    valid: usize,
    product: &Product<'_>,
) {
    let Finish { add, fused } = product.finish;
    let bias = product.bias;
    let last = product.columns - (NV - 1) * S::LANES;
    let count = |v: usize| if v + 1 < NV { S::LANES } else { last };
    // A short loop for each step: the compiler unrolls them, and a sum whose index it knows stays in its register.
    // SAFETY: the caller's promise: `count` values of each vector are columns.
    unsafe {
        if !bias.is_null() {
            let mut values = [simd.splat(0.0); NV];
            for v in 0..NV {
                values[v] = simd.load_some(bias.add(v * S::LANES), count(v));
            }
            for m in 0..MR {
                for v in 0..NV {
                    sums[m][v] = simd.add(sums[m][v], values[v]);
                }
            }
        }
        if add {
            for m in 0..MR {
                for v in 0..NV {
                    // A row that is computed more than once is read more than once too.
                    sums[m][v] = simd.add(sums[m][v], simd.load_some(c[m].add(v * S::LANES), count(v)));
                }
            }
        }
        fused.apply_rows(simd, &mut sums);
        if last == S::LANES && valid == MR {
            for m in 0..MR {
                for v in 0..NV {
                    simd.store(c[m].add(v * S::LANES), sums[m][v]);
                }
            }
        } else {
            for m in 0..MR {
                if m < valid {
                    for v in 0..NV {
                        simd.store_first(c[m].add(v * S::LANES), count(v), sums[m][v]);
                    }
                }
            }
        }
    }
}

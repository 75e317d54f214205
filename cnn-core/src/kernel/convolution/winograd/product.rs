//! The products at one point: rows of transformed cells times a panel of transformed filters, or for the weight's gradient
//! their channels times a panel of the output's transformed gradient.
//!
//! Sums over many channels are where Winograd's rounding comes from, so they go in chains: 32 terms are summed in
//! registers, and chains are added up in memory that the nearest cache holds.

use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::tile::{self, VECTORS};

/// Terms of a chain, and channels of a block of transformed cells.
pub(super) const CHAIN: usize = 32;

/// Columns of a panel at most.
pub(super) const fn width<S: Simd>() -> usize {
    VECTORS * S::LANES
}

/// `m[row][column] = sum over the depth of v[row][depth] * u[depth][column]`.
#[derive(Clone, Copy)]
pub(super) struct Products {
    /// The steps from a row to the next, from a step of the depth, and from a chain of them.
    pub(super) v: *const f32,
    pub(super) v_step: [usize; 3],
    pub(super) depth: usize,
    /// `[depth][width]`.
    pub(super) u: *const f32,
    /// `[rows][width]`.
    pub(super) m: *mut f32,
    pub(super) rows: usize,
    /// Whether they are added to what is in `m`.
    pub(super) add: bool,
}

/// Computes the products of a panel of one vector or two. `v` goes in steps of 1 along the depth, or along the rows.
///
/// # Safety
/// All rows and columns are in memory, and those of `m` are the caller's alone.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(simd: S, products: Products, width: usize) {
    match (width > S::LANES, products.v_step[1] == 1) {
        (true, true) => simd.run(Panel::<2, true>(products)),
        (true, false) => simd.run(Panel::<2, false>(products)),
        (false, true) => simd.run(Panel::<1, true>(products)),
        (false, false) => simd.run(Panel::<1, false>(products)),
    }
}

/// A panel of `NV` vectors; `ALONG` says that the steps along the depth are 1, which the compiler wants to know.
struct Panel<const NV: usize, const ALONG: bool>(Products);

impl<const NV: usize, const ALONG: bool> Kernel for Panel<NV, ALONG> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Products { v, v_step, depth, u, add, .. } = self.0;
        // A chain of all rows is in the nearest cache.
        for (chain, first) in (0..depth).step_by(CHAIN).enumerate() {
            let these = Products {
                v: v.wrapping_add(chain * v_step[2]),
                depth: CHAIN.min(depth - first),
                u: u.wrapping_add(first * NV * S::LANES),
                add: add || chain > 0,
                ..self.0
            };
            // SAFETY: `multiply`'s caller's promise.
            unsafe {
                match S::REGISTERS {
                    32 => {
                        let row = strips::<S, 14, NV, ALONG>(simd, &these, 0, 8);
                        let row = strips::<S, 8, NV, ALONG>(simd, &these, row, 4);
                        strips::<S, 4, NV, ALONG>(simd, &these, row, 0);
                    }
                    16 => {
                        let row = strips::<S, 6, NV, ALONG>(simd, &these, 0, 4);
                        strips::<S, 4, NV, ALONG>(simd, &these, row, 0);
                    }
                    _ => {
                        strips::<S, 4, NV, ALONG>(simd, &these, 0, 0);
                    }
                }
            }
        }
    }
}

/// Rows of the highest register tile of an instruction set.
pub(super) fn height(isa: Isa) -> usize {
    struct Height;
    impl Kernel for Height {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            tile::height::<S, VECTORS>()
        }
    }
    isa.run(Height)
}

/// Strips of `MR` rows of one chain from `row` on, until at most `rest` are left. Returns where it stopped.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "m and n index several arrays")]
unsafe fn strips<S: Simd, const MR: usize, const NV: usize, const ALONG: bool>(
    simd: S,
    products: &Products,
    mut row: usize,
    rest: usize,
) -> usize {
    let Products { v, v_step: [row_step, depth_step, _], depth, u, m, rows, add } = *products;
    let depth_step = if ALONG { 1 } else { depth_step };
    let width = NV * S::LANES;
    while row < rows && rows - row > rest {
        // SAFETY: the caller's promise: these rows, terms and columns are in memory.
        unsafe {
            let (mut a, mut c) = ([v; MR], [m; MR]);
            for strip in 0..MR {
                // A strip that is too high computes its last row more than once.
                let row = (row + strip).min(rows - 1);
                (a[strip], c[strip]) = (v.add(row * row_step), m.add(row * width));
            }
            let mut sums = [[simd.splat(0.0); NV]; MR];
            let mut b = u;
            for k in 0..depth {
                let mut columns = [simd.splat(0.0); NV];
                for (n, columns) in columns.iter_mut().enumerate() {
                    *columns = simd.load(b.add(n * S::LANES));
                }
                b = b.wrapping_add(width);
                for m in 0..MR {
                    let value = simd.splat(*a[m].add(k * depth_step));
                    for n in 0..NV {
                        sums[m][n] = simd.mul_add(value, columns[n], sums[m][n]);
                    }
                }
            }
            if add {
                for m in 0..MR {
                    for n in 0..NV {
                        sums[m][n] = simd.add(simd.load(c[m].add(n * S::LANES)), sums[m][n]);
                    }
                }
            }
            for m in 0..MR {
                for n in 0..NV {
                    simd.store(c[m].add(n * S::LANES), sums[m][n]);
                }
            }
        }
        row += MR;
    }
    row.min(rows)
}

//! The products at one point: rows of transformed cells times a panel of transformed filters.
//!
//! Sums over many channels are where Winograd's rounding comes from, so they go in chains: 32 channels are summed in
//! registers, and chains are added up in memory that the nearest cache holds.

use crate::kernel::isa::{Kernel, Simd};

/// Channels of a chain, and of a block of transformed cells.
pub(super) const CHAIN: usize = 32;

/// `m[row][column] = sum over channels of v[row][channel] * u[channel][column]`.
#[derive(Clone, Copy)]
pub(super) struct Products {
    /// `[blocks of CHAIN channels][rows][CHAIN]`, blocks `v_step` apart.
    pub(super) v: *const f32,
    pub(super) v_step: usize,
    pub(super) channels: usize,
    /// `[channels][width]`.
    pub(super) u: *const f32,
    /// `[rows][width]`.
    pub(super) m: *mut f32,
    pub(super) rows: usize,
    /// Whether they are added to what is in `m`.
    pub(super) add: bool,
}

/// Computes the products of a panel of one vector or two.
///
/// # Safety
/// All rows and columns are in memory, and those of `m` are the caller's alone.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(simd: S, products: Products, width: usize) {
    if width > S::LANES { simd.run(Panel::<2>(products)) } else { simd.run(Panel::<1>(products)) }
}

struct Panel<const NV: usize>(Products);

impl<const NV: usize> Kernel for Panel<NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let rows = self.0.rows;
        // SAFETY: `multiply`'s caller's promise.
        unsafe {
            match S::REGISTERS {
                32 => {
                    let row = strips::<S, 14, NV>(simd, &self.0, 0, 8);
                    let row = strips::<S, 8, NV>(simd, &self.0, row, 4);
                    strips::<S, 4, NV>(simd, &self.0, row, 0);
                    debug_assert!(row <= rows);
                }
                16 => {
                    let row = strips::<S, 6, NV>(simd, &self.0, 0, 4);
                    strips::<S, 4, NV>(simd, &self.0, row, 0);
                }
                _ => {
                    strips::<S, 4, NV>(simd, &self.0, 0, 0);
                }
            }
        }
    }
}

/// Strips of `MR` rows from `row` on, until at most `rest` are left. Returns where it stopped.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn strips<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    products: &Products,
    mut row: usize,
    rest: usize,
) -> usize {
    let Products { v, v_step, channels, u, m, rows, add } = *products;
    let width = NV * S::LANES;
    while row < rows && rows - row > rest {
        // A strip that is too high computes its last row more than once.
        let mut index = [row; MR];
        for (strip, index) in index.iter_mut().enumerate() {
            *index = (row + strip).min(rows - 1);
        }
        for (block, first) in (0..channels).step_by(CHAIN).enumerate() {
            let depth = CHAIN.min(channels - first);
            // SAFETY: the caller's promise: these rows, channels and columns are in memory.
            unsafe {
                let v = v.add(block * v_step);
                let mut a = [v; MR];
                for (a, row) in a.iter_mut().zip(index) {
                    *a = v.add(row * CHAIN);
                }
                let mut b = u.add(first * width);
                let mut sums = [[simd.splat(0.0); NV]; MR];
                for k in 0..depth {
                    let mut columns = [simd.splat(0.0); NV];
                    for (index, columns) in columns.iter_mut().enumerate() {
                        *columns = simd.load(b.add(index * S::LANES));
                    }
                    b = b.add(width);
                    for m in 0..MR {
                        let value = simd.splat(*a[m].add(k));
                        for n in 0..NV {
                            sums[m][n] = simd.mul_add(value, columns[n], sums[m][n]);
                        }
                    }
                }
                if add || block > 0 {
                    for i in 0..MR {
                        for n in 0..NV {
                            let before = simd.load(m.add(index[i] * width + n * S::LANES));
                            sums[i][n] = simd.add(before, sums[i][n]);
                        }
                    }
                }
                for i in 0..MR {
                    for n in 0..NV {
                        simd.store(m.add(index[i] * width + n * S::LANES), sums[i][n]);
                    }
                }
            }
        }
        row += MR;
    }
    row.min(rows)
}

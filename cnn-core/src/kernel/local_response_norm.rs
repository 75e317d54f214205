//! Local response normalization: each value is divided by a power of the squares of the channels around it.
//! <https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html>

use super::Write;
use super::chunk::{self, Target};
use super::geometry::LocalResponseNormGeometry;
use super::isa;
use super::scratch::{Needs, Scratch};

/// Values of a piece of work; a power costs some twenty others.
const PIECE: usize = 1 << 11;

impl LocalResponseNormGeometry {
    /// What [`forward`] and [`backward`] work in: two rows.
    pub const fn needs(&self) -> Needs {
        Needs { shared: 0, per_thread: 2 * self.channels }
    }

    /// Channels that count before and behind their own. Of an even `size` PyTorch has one more before it.
    const fn around(&self) -> [usize; 2] {
        [self.size / 2, (self.size - 1) / 2]
    }
}

/// Adds to each of `sums` the terms from `before` channels before it to `behind` behind it.
#[inline(always)]
fn add_around(terms: &[f32], [before, behind]: [usize; 2], sums: &mut [f32]) {
    let channels = terms.len();
    for distance in 0..=before.min(channels - 1) {
        sums[distance..].iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    for distance in 1..=behind.min(channels - 1) {
        sums.iter_mut().zip(&terms[distance..]).for_each(|(sum, term)| *sum += term);
    }
}

/// `base^-beta`, by square roots for the usual exponents.
#[inline(always)]
fn power(base: f32, beta: f32) -> f32 {
    if beta == 0.75 {
        let root = base.sqrt();
        1.0 / (root * root.sqrt())
    } else if beta == 0.5 {
        1.0 / base.sqrt()
    } else {
        base.powf(-beta)
    }
}

/// What is raised to a power, for each channel of a row.
#[inline(always)]
fn bases(geometry: &LocalResponseNormGeometry, row: &[f32], squares: &mut [f32], bases: &mut [f32]) {
    squares.iter_mut().zip(row).for_each(|(square, x)| *square = x * x);
    bases.fill(0.0);
    add_around(squares, geometry.around(), bases);
    let (share, k) = ((geometry.alpha / geometry.size as f64) as f32, geometry.k as f32);
    bases.iter_mut().for_each(|base| *base = k + share * *base);
}

/// Calls `row` with a row of the target, its number, and two rows of memory.
fn for_each_row(
    geometry: &LocalResponseNormGeometry,
    rows: usize,
    target: &mut [f32],
    stride: usize,
    scratch: &mut Scratch,
    row: impl Fn(usize, &mut [f32], &mut [f32], &mut [f32]) + Sync,
) {
    let channels = geometry.channels;
    let (_, slots) = scratch.lend(geometry.needs());
    let piece = PIECE.div_ceil(channels);
    let target = Target::new(target);
    let isa = isa::current();
    chunk::for_each(rows.div_ceil(piece), 8 * rows * channels, |index| {
        let mut slot = slots.own();
        let (a, b) = slot[..2 * channels].split_at_mut(channels);
        isa.vectorize(
            #[inline(always)]
            || {
                for index in index * piece..rows.min((index + 1) * piece) {
                    // SAFETY: each row is part of one piece.
                    row(index, unsafe { target.slice(index * stride, channels) }, a, b);
                }
            },
        );
    });
}

/// input `[.., c]` -> output `[.., c]`.
pub fn forward(geometry: &LocalResponseNormGeometry, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
    let (map, out_map) = (geometry.input(), geometry.output());
    let rows = map.samples(input.len());
    assert_eq!(out_map.samples(output.len()), rows);
    let beta = geometry.beta as f32;
    for_each_row(
        geometry,
        rows,
        output,
        out_map.stride,
        scratch,
        #[inline(always)]
        |index: usize, output: &mut [f32], squares: &mut [f32], base: &mut [f32]| {
            let input = &input[index * map.stride..][..map.channels];
            bases(geometry, input, squares, base);
            for ((output, x), base) in output.iter_mut().zip(input).zip(base) {
                *output = x * power(*base, beta);
            }
        },
    );
}

/// input `[.., c]`, grad_output `[.., c]` -> grad_input `[.., c]`.
///
/// A value stands in its own quotient, and in the sum of each channel that sees it.
pub fn backward(
    geometry: &LocalResponseNormGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    let (map, out_map) = (geometry.input(), geometry.output());
    let rows = map.samples(input.len());
    assert_eq!(out_map.samples(grad_output.len()), rows);
    assert_eq!(map.samples(grad_input.len()), rows);
    let beta = geometry.beta as f32;
    let factor = (-2.0 * geometry.alpha * geometry.beta / geometry.size as f64) as f32;
    for_each_row(
        geometry,
        rows,
        grad_input,
        map.stride,
        scratch,
        #[inline(always)]
        |index: usize, grad_input: &mut [f32], terms: &mut [f32], base: &mut [f32]| {
            let input = &input[index * map.stride..][..map.channels];
            let grad = &grad_output[index * out_map.stride..][..map.channels];
            bases(geometry, input, terms, base);
            if write == Write::Store {
                grad_input.fill(0.0);
            }
            for (c, base) in base.iter_mut().enumerate() {
                let power = power(*base, beta);
                grad_input[c] += grad[c] * power;
                terms[c] = grad[c] * input[c] * power / *base;
                *base = 0.0;
            }
            // Who sees a channel: the other way around.
            let [before, behind] = geometry.around();
            add_around(terms, [behind, before], base);
            for ((to, x), sum) in grad_input.iter_mut().zip(input).zip(base) {
                *to += factor * x * *sum;
            }
        },
    );
}

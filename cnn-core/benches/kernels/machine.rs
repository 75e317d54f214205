//! What the machine can do at most, measured: the bounds of every kernel.

use crate::work::{Work, best};
use cnn_core::kernel::isa::{self, peak};
use cnn_core::kernel::memory::buffer::Buffer;
use rayon_whole::prelude::*;
use std::hint::black_box;

/// Far more than any cache: 256 MB.
const LEN: usize = 1 << 26;
/// What a thread takes at a time: 1 MB.
const PIECE: usize = 1 << 18;
/// Values of a cache line.
const LINE: usize = 16;

pub(crate) struct Machine {
    /// Multiply-adds in a second of one thread, and of all.
    one: f64,
    all: f64,
    /// Seconds for a value that is read, and for one that is written.
    read: f64,
    written: f64,
}

impl Machine {
    pub(crate) fn measure() -> Self {
        const ROUNDS: usize = 1 << 20;
        let mut done = 0;
        let one = best(|| done = peak::multiply_adds(ROUNDS));
        let all = best(|| {
            rayon::broadcast(|_| black_box(peak::multiply_adds(ROUNDS)));
        });
        // Written once first: pages of zeros that nobody wrote may all be one.
        let mut values = [(); 2].map(|()| Buffer::zeros(LEN));
        values.iter_mut().for_each(|values| values.par_chunks_mut(PIECE).for_each(|piece| piece.fill(1.0)));
        let [from, to] = &mut values;
        let read = best(|| from.par_chunks(PIECE).for_each(sum));
        let both =
            best(|| to.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE)).for_each(|(to, from)| double(to, from)));
        let threads = rayon::current_num_threads();
        Self {
            one: done as f64 / one,
            all: (threads * done) as f64 / all,
            read: read / LEN as f64,
            written: (both - read) / LEN as f64,
        }
    }

    /// The least time for the multiply-adds.
    pub(crate) fn computing(&self, work: &Work) -> f64 {
        work.multiply_adds as f64 / self.all
    }

    /// The least time for the values that must come from memory and go there.
    pub(crate) fn moving(&self, work: &Work) -> f64 {
        work.read as f64 * self.read + work.written as f64 * self.written
    }

    /// What was measured, in a sentence.
    pub(crate) fn describe(&self) -> String {
        let [read, both] = [self.read, (self.read + self.written) / 2.0].map(|seconds| 4.0 / seconds / 1e9);
        format!(
            "{} on {} threads: peak of multiply-adds {:.1} GFLOP/s ({:.1} on one thread); memory is read at {read:.1} GB/s, \
             read and written at {both:.1} GB/s",
            isa::name(),
            rayon::current_num_threads(),
            2.0 * self.all / 1e9,
            2.0 * self.one / 1e9,
        )
    }
}

/// Reads at four places in turn, which gives more than one place does: 27 and 21 GB/s on two cores of a Zen 3.
fn sum(values: &[f32]) {
    let (first, second) = values.split_at(values.len() / 2);
    let [(a, b), (c, d)] = [first, second].map(|half| half.split_at(half.len() / 2));
    let sums = isa::vectorize(
        #[inline(always)]
        || {
            let [a, b, c, d] = [a, b, c, d].map(|values| values.chunks_exact(LINE));
            let mut sums = [[0.0; LINE]; 4];
            for (((a, b), c), d) in a.zip(b).zip(c).zip(d) {
                for (sums, values) in sums.iter_mut().zip([a, b, c, d]) {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
            sums
        },
    );
    black_box(sums);
}

fn double(to: &mut [f32], from: &[f32]) {
    isa::vectorize(
        #[inline(always)]
        || to.iter_mut().zip(from).for_each(|(to, from)| *to = 2.0 * from),
    );
}

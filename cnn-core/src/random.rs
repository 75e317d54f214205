//! Randomness that depends on where it is used and on nothing else.
//!
//! Every use has a [`Key`] and draws from a [`Stream`] of its own: no generator is handed around, so the same values come
//! on any number of threads, in any order of the work, and in a run that was stopped and taken up again. The generator is
//! ChaCha with 8 rounds, whose streams under different keys are independent as far as anyone knows; 12 and 20 rounds are
//! for cryptography. Knows no layers.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// What a stream is for. Streams of different purposes are independent under otherwise equal keys.
///
/// The numbers are part of what a seed means: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The first values of parameters.
    Initialization = 0,
    /// Which activations dropout keeps.
    Dropout = 1,
    /// The order of samples.
    Shuffling = 2,
    /// Random changes to samples.
    Augmentation = 3,
    /// Which samples a test part gets.
    Splitting = 4,
    /// Which samples of a batch are mixed, and how.
    Mixing = 5,
    /// Which samples an epoch draws, where it draws them again and again.
    Sampling = 6,
}

/// The name of a stream: what is drawn, and where. What does not apply is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What the values are for.
    pub purpose: Purpose,
    /// The user's seed.
    pub seed: u64,
    /// The training step, or the epoch.
    pub step: u64,
    /// The layer's place in its network.
    pub layer: u64,
    /// The sample's place in its batch or data set.
    pub sample: u64,
}

impl Key {
    /// The stream of this name, from its start.
    pub fn stream(&self) -> Stream {
        let mut key = [0; 32];
        for (bytes, number) in key.chunks_exact_mut(8).zip([self.seed, self.step, self.layer, self.sample]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(self.purpose as u64);
        Stream(generator)
    }
}

/// An endless sequence of random values.
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

/// Bytes that are drawn at a time: as many as the generator makes at a time.
const CHUNK: usize = 256;

impl Stream {
    /// A value of the 2^24 multiples of 2^-24 in `[0, 1)`: all that an `f32` keeps apart evenly.
    pub fn uniform(&mut self) -> f32 {
        unit(self.0.next_u32())
    }

    /// A value of the 2^53 multiples of 2^-53 in `[0, 1)`: all that an `f64` keeps apart evenly.
    pub fn uniform64(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A value in `[-bound, bound)`.
    pub fn symmetric(&mut self, bound: f32) -> f32 {
        symmetric(self.0.next_u32(), bound)
    }

    /// A value of the standard normal distribution: of mean 0 and deviation 1, and at most 6.7 in size.
    /// <https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform>
    pub fn normal(&mut self) -> f64 {
        // In (0, 1], of which there is a logarithm.
        let [length, angle] = [(); 2].map(|()| (f64::from(self.0.next_u32()) + 1.0) / (1_u64 << 32) as f64);
        (-2.0 * length.ln()).sqrt() * (core::f64::consts::TAU * angle).cos()
    }

    /// A whole number in `0..n`, each as likely as the others.
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "there is no number below zero");
        // The upper half of the product of a random word and `n` is below `n`. Some numbers would come from one word more
        // than others: the words that make the difference are drawn again. <https://arxiv.org/abs/1805.10941>
        let n = n as u64;
        let surplus = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(n);
            if product as u64 >= surplus {
                return (product >> 64) as usize;
            }
        }
    }

    /// Brings `values` into a random order, each as likely as the others (Fisher-Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }

    /// Fills `values` as [`symmetric`](Self::symmetric) would one by one.
    pub fn fill_symmetric(&mut self, bound: f32, values: &mut [f32]) {
        self.fill(values, |word| symmetric(word, bound));
    }

    /// Fills `keep` with `false` by probability `p` and `true` otherwise: what dropout keeps. From 0 down, and of a `p` that is
    /// no number, all are kept; from 1 up none is.
    ///
    /// A value takes one word, so filling in pieces gives the same as filling at once; and the backward pass needs no
    /// memory of the forward pass's mask, since the same key draws it again.
    pub fn fill_keep_mask(&mut self, p: f32, keep: &mut [bool]) {
        // For p = 1 one more than the largest word, hence not a word itself.
        let threshold = (f64::from(p) * (1u64 << 32) as f64) as u64;
        self.fill(keep, |word| u64::from(word) >= threshold);
    }

    fn fill<T>(&mut self, values: &mut [T], from_word: impl Fn(u32) -> T) {
        let mut bytes = [0; CHUNK];
        for chunk in values.chunks_mut(CHUNK / 4) {
            let bytes = &mut bytes[..4 * chunk.len()];
            self.0.fill_bytes(bytes);
            for (value, word) in chunk.iter_mut().zip(bytes.as_chunks().0) {
                *value = from_word(u32::from_le_bytes(*word));
            }
        }
    }
}

/// Makes `order` the order in which an epoch visits the samples `0..samples`. Allocates only to hold more than ever before.
pub fn shuffled(seed: u64, epoch: u64, samples: usize, order: &mut Vec<usize>) {
    order.clear();
    order.extend(0..samples);
    Key { purpose: Purpose::Shuffling, seed, step: epoch, layer: 0, sample: 0 }.stream().shuffle(order);
}

fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// `2 u - 1` is exact and below one by at least 2^-23, so the product rounds to less than the bound.
fn symmetric(word: u32, bound: f32) -> f32 {
    (2.0 * unit(word) - 1.0) * bound
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Key = Key { purpose: Purpose::Initialization, seed: 0, step: 0, layer: 0, sample: 0 };

    fn words(key: Key) -> [u32; 4] {
        let mut stream = key.stream();
        core::array::from_fn(|_| stream.0.next_u32())
    }

    #[test]
    fn the_generator_is_chacha8() {
        // The key stream of ChaCha8 with key and nonce zero: <https://datatracker.ietf.org/doc/html/draft-strombergson-chacha-test-vectors-01>
        assert_eq!(words(ZERO).map(u32::swap_bytes), [0x3e00_ef2f, 0x895f_40d6, 0x7f5b_b8e8, 0x1f09_a5a1]);
    }

    #[test]
    fn every_part_of_the_key_makes_another_stream() {
        let keys = [
            ZERO,
            Key { purpose: Purpose::Dropout, ..ZERO },
            Key { purpose: Purpose::Shuffling, ..ZERO },
            Key { purpose: Purpose::Augmentation, ..ZERO },
            Key { purpose: Purpose::Splitting, ..ZERO },
            Key { purpose: Purpose::Mixing, ..ZERO },
            Key { purpose: Purpose::Sampling, ..ZERO },
            Key { seed: 1, ..ZERO },
            Key { seed: 1 << 63, ..ZERO },
            Key { step: 1, ..ZERO },
            Key { layer: 1, ..ZERO },
            Key { sample: 1, ..ZERO },
        ];
        let streams = keys.map(words);
        for (i, stream) in streams.iter().enumerate() {
            assert!(!streams[..i].contains(stream), "{:?}", keys[i]);
        }
    }

    #[test]
    fn the_ends_of_the_intervals() {
        assert_eq!((unit(0), unit(u32::MAX)), (0.0, 1.0 - f32::EPSILON / 2.0));
        for bound in [1.0, 0.1, 1.0 / 3.0, 1.0_f32.next_down(), 1.0_f32.next_up(), 1e-38] {
            assert_eq!(symmetric(0, bound), -bound);
            assert!(symmetric(u32::MAX, bound) < bound, "{bound}");
        }
    }

    #[test]
    fn filling_in_pieces_is_filling_at_once() {
        let (mut whole, mut pieces, mut single) = ([0.0; 300], [0.0; 300], [0.0; 300]);
        ZERO.stream().fill_symmetric(2.0, &mut whole);
        let mut stream = ZERO.stream();
        for piece in pieces.chunks_mut(37) {
            stream.fill_symmetric(2.0, piece);
        }
        let mut stream = ZERO.stream();
        single.fill_with(|| stream.symmetric(2.0));
        assert_eq!(whole, pieces);
        assert_eq!(whole, single);
    }

    #[test]
    fn uniform_values_have_the_mean_and_the_variance() {
        let mut stream = ZERO.stream();
        let values: Vec<f64> = (0..100_000).map(|_| f64::from(stream.uniform())).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
        // Four standard deviations of the mean are 0.0037, of the variance 0.0009.
        assert!((mean - 0.5).abs() < 0.004, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.001, "{variance}");
    }

    #[test]
    fn uniform_values_of_64_bits_too() {
        let mut stream = ZERO.stream();
        let values: Vec<f64> = (0..100_000).map(|_| stream.uniform64()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - 0.5).abs() < 0.004, "{mean}");
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        // Finer than those of 24 bits.
        assert!(values.iter().any(|value| (value * f64::from(1 << 24)).fract() != 0.0));
    }

    #[test]
    fn a_keep_mask_drops_its_share() {
        let mut keep = [true; 100_000];
        ZERO.stream().fill_keep_mask(0.3, &mut keep);
        let dropped = keep.iter().filter(|&&keep| !keep).count();
        // Four standard deviations: 580.
        assert!(dropped.abs_diff(30_000) < 600, "{dropped}");
        ZERO.stream().fill_keep_mask(0.0, &mut keep);
        assert!(keep.iter().all(|&keep| keep));
        ZERO.stream().fill_keep_mask(1.0, &mut keep);
        assert!(keep.iter().all(|&keep| !keep));
    }

    #[test]
    fn a_shuffle_reaches_every_order_equally() {
        let (mut counts, mut order) = (std::collections::BTreeMap::new(), Vec::new());
        for epoch in 0..24_000 {
            shuffled(7, epoch, 4, &mut order);
            *counts.entry(order.clone()).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // A thousand each, with a standard deviation of 31.
        assert!(counts.values().all(|count| (count - 1000).abs() < 130), "{counts:?}");
    }

    #[test]
    fn whole_numbers_reach_their_ends_and_huge_ranges_are_legal() {
        let mut stream = ZERO.stream();
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[stream.below(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(stream.below(1), 0);
        // Half of all words are drawn again here.
        let huge = usize::MAX / 2 + 2;
        assert!((0..50).all(|_| stream.below(huge) < huge));
        let mut order = vec![1];
        shuffled(0, 0, 0, &mut order);
        assert!(order.is_empty());
    }
}

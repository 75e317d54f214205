//! What the tests of the kernels share: whole-number data, and every instruction set on 1, 2 and 3 threads.

#[allow(dead_code, reason = "not every test file has activations")]
pub(crate) mod activations;
#[allow(dead_code, reason = "not every test file has convolutions")]
pub(crate) mod convolutions;

use cnn_core::kernel::isa::{self, Isa};
use cnn_core::kernel::memory::chunk::in_pool;
use cnn_core::random::{Key, Purpose};

/// Whole numbers from -4 to 4, not the same for every `salt`: their products and sums are exact in f32.
#[allow(dead_code, reason = "not every test file has exact sums")]
pub(crate) fn whole_numbers(len: usize, salt: u64) -> Vec<f32> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f32 % 9.0 - 4.0
        })
        .collect()
}

/// Numbers whose sums are rounded, so that another order of adding has other bits.
#[allow(dead_code, reason = "not every test file has sums")]
pub(crate) fn fractions(len: usize, salt: u64) -> Vec<f32> {
    whole_numbers(len, salt).into_iter().enumerate().map(|(i, value)| value / 3.0 + (i % 101) as f32 / 77.0).collect()
}

/// Numbers from -1 to 1.
#[allow(dead_code, reason = "not every test file has sums of any numbers")]
pub(crate) fn fill(len: usize, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; len];
    let key = Key { purpose: Purpose::Augmentation, seed, step: 0, layer: 0, sample: 0 };
    key.stream().fill_symmetric(1.0, &mut values);
    values
}

#[allow(dead_code, reason = "not every test file has a reference")]
pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A map as some of the channels of a wider one, with other values in the channels around it: neighbouring cells are
/// `stride` values apart, the first starts `before` values behind the start, and nothing follows the last.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    wide: Vec<f32>,
    channels: usize,
    stride: usize,
    before: usize,
}

#[allow(dead_code, reason = "not every test file has strided maps")]
impl Part {
    /// A map of these values with room for `extra` other channels.
    pub(crate) fn new(values: &[f32], channels: usize, extra: usize) -> Self {
        let (stride, before) = (channels + extra, extra / 2);
        let cells = values.len() / channels;
        let mut wide = vec![Self::OTHER; before + (cells * stride).saturating_sub(extra)];
        for (to, from) in wide[before..].chunks_mut(stride).zip(values.chunks_exact(channels)) {
            to[..channels].copy_from_slice(from);
        }
        Self { wide, channels, stride, before }
    }

    /// What the channels of others hold, which nobody may change or use.
    const OTHER: f32 = f32::from_bits(0x7fc1_2345);

    /// The slice that a kernel gets.
    pub(crate) fn slice(&self) -> &[f32] {
        &self.wide[self.before..]
    }

    /// The slice that a kernel gets.
    pub(crate) fn slice_mut(&mut self) -> &mut [f32] {
        &mut self.wide[self.before..]
    }

    /// The map's own values, after checking that those of others are as they were.
    pub(crate) fn values(&self) -> Vec<f32> {
        let is_other = |value: &f32| value.to_bits() == Self::OTHER.to_bits();
        assert!(self.wide[..self.before].iter().all(is_other), "written before the first channel");
        let cells = self.wide[self.before..].chunks(self.stride);
        assert!(cells.clone().all(|cell| cell[self.channels..].iter().all(is_other)), "written behind the channels");
        cells.flat_map(|cell| &cell[..self.channels]).copied().collect()
    }
}

/// Runs `body` with each instruction set on 1 and 2 threads, and in a pass on 3, and returns the result of the first, after
/// checking that all thread counts agree bit for bit; instruction sets agree as far as `==`, if the data is exact.
#[allow(dead_code, reason = "not every test file asks for threads")]
pub(crate) fn everywhere(exact: bool, body: impl Fn() -> Vec<f32> + Sync) -> Vec<f32> {
    thread_local! {
        static POOLS: [rayon::ThreadPool; 3] =
            [1, 2, 3].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads"));
    }
    let mut first: Option<Vec<f32>> = None;
    for isa in Isa::available() {
        let results = POOLS.with(|pools| {
            pools.each_ref().map(|pool| {
                let run = || isa::with(isa, &body);
                pool.install(|| if pool.current_num_threads() == 3 { in_pool(usize::MAX, run) } else { run() })
            })
        });
        let bits = results.each_ref().map(|result| result.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        assert_eq!(bits[0], bits[1], "{} on 2 threads", isa.name());
        assert_eq!(bits[0], bits[2], "{} on 3 threads", isa.name());
        let [result, ..] = results;
        match &first {
            Some(first) if exact => assert_eq!(first, &result, "{}", isa.name()),
            Some(_) => {}
            None => first = Some(result),
        }
    }
    first.expect("an instruction set")
}

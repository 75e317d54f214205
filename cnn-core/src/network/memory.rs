//! How much memory a network's maps take.

/// Memory of a network: f32 values per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Maps alive at once in evaluation.
    pub evaluation: usize,
    /// Maps alive at once in a predictor.
    pub prediction: usize,
    /// Maps that training keeps for the backward pass.
    pub training: usize,
    /// Gradients of maps alive at once in the backward pass.
    pub gradient: usize,
}

/// Values of one sample in memory that is shared by many: rounded up, so that the next map starts on a cache line
/// however many samples there are.
pub const fn aligned(values: usize) -> usize {
    values.saturating_add(15) / 16 * 16
}

/// Values of one sample of all these maps.
#[doc(hidden)]
pub const fn together(maps: &[usize]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < maps.len() {
        sum = sum.saturating_add(aligned(maps[index]));
        index += 1;
    }
    sum
}

//! How much memory a network's maps take, and what cuts memory into the steps' own.

use super::Step;

/// Memory of a network: f32 values per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Maps alive at once in evaluation.
    pub evaluation: usize,
    /// Maps alive at once in a predictor.
    pub prediction: usize,
    /// Maps and their gradients alive at once in a training step.
    pub training: usize,
}

/// Values of one sample in memory that is shared by many: rounded up, so that the next map starts on a cache line
/// however many samples there are.
pub(crate) const fn aligned(values: usize) -> usize {
    values.saturating_add(15) / 16 * 16
}

/// The place behind these maps, which lie from `first` on, of one sample.
#[doc(hidden)]
pub const fn behind(first: usize, maps: &[usize]) -> usize {
    let (mut sum, mut index) = (first, 0);
    while index < maps.len() {
        sum = sum.saturating_add(aligned(maps[index]));
        index += 1;
    }
    sum
}

/// Parts of a workspace for so many samples: those from a first value on, and how many, per sample. They lie one behind
/// another.
///
/// # Panics
/// If they do not, or if the workspace is too small.
#[doc(hidden)]
pub fn cut<const N: usize>(workspace: &mut [f32], samples: usize, parts: [(usize, usize); N]) -> [&mut [f32]; N] {
    let (mut rest, mut at) = (workspace, 0);
    parts.map(|(first, len)| {
        let (part, behind) = core::mem::take(&mut rest)[samples * (first - at)..].split_at_mut(samples * len);
        (rest, at) = (behind, first + len);
        part
    })
}

/// Numbers that each of these steps keeps and does not train.
#[doc(hidden)]
pub const fn states<const N: usize>(steps: &[Step], mut of: [usize; N]) -> [usize; N] {
    let mut index = 0;
    while index < N {
        of[index] = steps[of[index]].operation.state_count();
        index += 1;
    }
    of
}

/// Counts that each of these steps keeps.
#[doc(hidden)]
pub const fn counts<const N: usize>(steps: &[Step], mut of: [usize; N]) -> [usize; N] {
    let mut index = 0;
    while index < N {
        of[index] = steps[of[index]].operation.counts();
        index += 1;
    }
    of
}

/// Values that each of these steps keeps for the way back: the first ones some of their own, the others a gradient of weights
/// that is to be added to an earlier step's.
#[doc(hidden)]
pub const fn kept<const N: usize>(steps: &[Step], own: usize, mut of: [usize; N]) -> [usize; N] {
    let mut index = 0;
    while index < N {
        let operation = &steps[of[index]].operation;
        of[index] = if index < own { operation.saved() } else { operation.parameter_count() };
        index += 1;
    }
    of
}

//! Stand-in until the engine's room is merged.
use core::ops::{Deref, DerefMut};
/// f32 values
#[derive(Clone, Debug)]
pub struct Buffer(Vec<f32>);
impl Buffer {
    /// zeros
    pub fn zeros(len: usize) -> Self {
        Self(vec![0.0; len])
    }
    /// at least so many
    pub fn grow(&mut self, len: usize) {
        if len > self.0.len() {
            *self = Self::zeros(len);
        }
    }
}
impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}
impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
/// parts
pub fn split<const N: usize>(mut values: &mut [f32], lengths: [usize; N]) -> [&mut [f32]; N] {
    lengths.map(|length| {
        let (part, rest) = core::mem::take(&mut values).split_at_mut(length);
        values = rest;
        part
    })
}
/// parts
pub fn split_ref<const N: usize>(mut values: &[f32], lengths: [usize; N]) -> [&[f32]; N] {
    lengths.map(|length| {
        let (part, rest) = values.split_at(length);
        values = rest;
        part
    })
}

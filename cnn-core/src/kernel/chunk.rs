//! Stand-in until the engine's room is merged.
/// each
pub fn for_each_sample(len: usize, values: &mut [f32], f: impl Fn(usize, &mut [f32]) + Sync) {
    for (i, v) in values.chunks_exact_mut(len).enumerate() {
        f(i, v);
    }
}

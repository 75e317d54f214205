//! Stand-in until the engine's room is merged.
/// needs
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// shared
    pub shared: usize,
    /// per thread
    pub per_thread: usize,
}
impl Needs {
    /// max
    pub const fn max(self, _other: Self) -> Self {
        self
    }
}
/// scratch
#[derive(Debug, Default)]
pub struct Scratch;
impl Scratch {
    /// prepare
    pub fn prepare(&mut self, _needs: Needs, _threads: usize) {}
}

//! Memory for loops: buffers that lie as vectors want them, scratch that is allocated once, and pieces of slices that
//! threads share. Knows no loop.

pub mod buffer;
pub(crate) mod chunk;
pub mod scratch;

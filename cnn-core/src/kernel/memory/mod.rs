//! Memory for loops: buffers that lie as vectors want them, scratch that is allocated once, and pieces of slices that
//! threads share, in teams that stay for a whole pass. Knows no loop.

pub mod buffer;
pub mod chunk;
pub mod scratch;
mod team;

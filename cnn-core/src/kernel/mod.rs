//! Loops over slices. Knows no tensors, layers or files.
pub mod buffer;
pub mod chunk;
pub mod direct;
pub mod elementwise;
pub mod geometry;
pub mod linear;
pub mod pool;
pub mod scratch;

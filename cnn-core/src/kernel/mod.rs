//! Loops over slices. Knows no tensors, layers or files.
pub mod geometry;

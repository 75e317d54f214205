//! Pictures as bytes, `[height, width, channels]`, and what can be done with them. Knows no files, batches or randomness.

mod affine;
mod canvas;
mod color;
mod layer;
mod place;
mod resize;
mod view;

pub use affine::{Interpolation, Matrix, affine_matrix};
pub use canvas::Canvas;
pub(in crate::data) use canvas::Memory;
pub(in crate::data) use color::converts;

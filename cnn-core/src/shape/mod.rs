//! Shapes as types.
pub mod window;

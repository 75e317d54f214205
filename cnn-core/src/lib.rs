//! Convolutional networks whose shapes are checked at compile time.
pub mod data;
pub mod kernel;
pub mod metric;
pub mod random;
pub mod reference;
pub mod shape;

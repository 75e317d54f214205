//! Functions of each value, or of each cell's channels, by itself.

pub mod activation;
pub mod join;
mod math;
pub mod prelu;
pub mod softmax;

//! Functions of each value, or of each cell's channels, by itself.

pub mod activation;
pub mod constant;
pub mod expression;
pub mod join;
mod math;
pub mod number;
pub mod prelu;
pub mod reduce;
pub mod scale;
pub mod softmax;

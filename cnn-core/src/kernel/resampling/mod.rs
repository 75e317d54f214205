//! Maps of another size with the values of the old one.

pub mod rearrange;
pub mod upsample;
pub mod zero_pad2d;

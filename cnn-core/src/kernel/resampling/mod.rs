//! Maps of another size with the values of the old one.

pub mod pad2d;
pub mod rearrange;
pub mod upsample;

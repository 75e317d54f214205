//! Loops over slices. Knows no tensors, layers or files.
//!
//! The only room with `unsafe`: every public function is a safe shell that checks lengths against a geometry once, around
//! a core that trusts them. Two laws hold everywhere: work is cut into pieces by shape and batch, never by the number of
//! threads, and sums over pieces are added in a fixed order. So the result has the same bits on any number of threads.
//!
//! Floors, from the ground up; each knows those before it:
//!
//! | floor | what it is |
//! |:--|:--|
//! | [`geometry`] | what a loop needs to know of a layer: plain numbers |
//! | [`isa`] | vectors of one instruction set, chosen once |
//! | [`memory`] | buffers, scratch, and how work is cut among threads |
//! | [`rows`] | every cell of a batch of maps as a row of channels, in strips, and sums down the columns |
//! | `tile` | the register tile, where all products are, and packing for it |
//! | [`convolution`], [`product`], [`pooling`], [`normalization`], [`pointwise`], [`resampling`] | the layers; none knows another |

pub mod convolution;
mod finish;
pub mod geometry;
pub mod isa;
pub mod memory;
pub mod normalization;
pub mod pointwise;
pub mod pooling;
pub mod product;
pub mod resampling;
pub mod rows;
mod tile;

pub use finish::{FusedActivation, Then, Write};

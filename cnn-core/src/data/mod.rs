//! Labelled images: reading them from files, splitting, shuffling and preparing them for a network.
//!
//! Knows no networks, tensors or layers: images go out as flat slices in N, H, W, C order. Files are not trusted: whatever
//! bytes they hold, the outcome is a valid value or a [`DataError`]. What is random depends on a seed and on what it is
//! for (an epoch, a sample), never on the order of calls or on threads.

mod augment;
mod batches;
mod dataset;
mod error;
mod idx;
mod split;

pub use augment::{Normalize, RandomShift};
pub use batches::Batches;
pub use dataset::{Dataset, Images};
pub use error::DataError;

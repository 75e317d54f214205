//! The training step: gradients of a loss, and the optimizers that use them. Knows networks; knows nothing of files.

mod training;

pub use training::Training;

//! The training step: gradients of a loss, and the optimizers that use them. Knows networks; knows nothing of files.

mod averaged;
mod declared;
mod forward;
mod optimizer;
mod pieces;
mod processes;
mod remembered;
mod shards;
mod together;
mod training;
mod treatment;

pub use averaged::{Averaged, Averaging};
pub use declared::DeclaredLoss;
#[doc(hidden)]
pub use declared::OneLoop;
pub use forward::Forward;
pub use optimizer::{Adagrad, Adam, Lamb, Optimizer, RmsProp, Sgd, is_vector};
#[cfg(feature = "fit")]
pub(crate) use processes::hashed;
pub use processes::{Processes, shards_of, sum_in_tree};
pub use training::Training;

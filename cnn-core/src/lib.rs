//! Convolutional networks whose shapes are checked at compile time.
//!
//! A network is declared with [`network!`], whose layers have PyTorch's names and defaults; every feature map is then a
//! type, and a mismatch is an error of the compiler. See the [`prelude`] for what a program usually needs.

pub mod data;
pub mod error;
pub mod io;
pub mod kernel;
pub mod layer;
pub mod loss;
pub mod metric;
pub mod network;
pub mod optim;
pub mod random;
pub mod reference;
pub mod shape;
pub mod tensor;
pub mod train;

pub use cnn_macros::network;
pub use error::Error;

/// What a program usually needs.
pub mod prelude {
    pub use crate::Error;
    pub use crate::io::Checkpoint;
    pub use crate::layer::{Layer, Mode};
    pub use crate::loss::{CrossEntropy, Labels, Loss, MeanSquaredError, NegativeLogLikelihood};
    pub use crate::network;
    pub use crate::network::{Inference, Network};
    pub use crate::optim::{AdamOptions, SgdOptions};
    pub use crate::shape::{Chw, Flat, Probabilities};
    pub use crate::tensor::{Batch, Tensor};
    pub use crate::train::{Adam, Optimizer, Sgd, Training};
}

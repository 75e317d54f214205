//! Files of weights. Knows networks; knows nothing of training.

mod half;
mod report;
mod safetensors;

pub use report::LoadReport;

use std::path::Path;

use crate::Error;
use crate::network::{Network, Weights};

/// Reading and writing the weights of any network.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
/// }
///
/// let path = std::env::temp_dir().join(format!("classifier-{}.safetensors", std::process::id()));
/// Classifier::new(1).save_safetensors(&path)?;
/// let mut net = Classifier::new(2);
/// net.load_safetensors(&path)?;
/// assert_eq!(net.weights(), Classifier::new(1).weights());
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), Error>(())
/// ```
pub trait Checkpoint: Network {
    /// Takes the weights from a safetensors file with PyTorch's names and layouts, such as a `state_dict` of torchvision's.
    /// Numbers of 16 bits (F16, BF16) are converted.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] with all that does not fit; the network is then as it was.
    fn load_safetensors(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        let mut weights = Weights::zeros();
        let problems = safetensors::load(path.as_ref(), &mut weights)?;
        if !problems.is_empty() {
            return Err(Error::Weights { path: path.as_ref().to_owned(), problems });
        }
        *self.weights_mut() = weights;
        Ok(())
    }

    /// Takes from a safetensors file the tensors that fit, and leaves the others as they are: to start from a network that
    /// was trained on other classes, say. The report says what did not fit.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] when it is no safetensors file; the network is then as it was.
    fn load_safetensors_lenient(&mut self, path: impl AsRef<Path>) -> Result<LoadReport, Error> {
        let problems = safetensors::load(path.as_ref(), self.weights_mut())?;
        Ok(LoadReport { problems })
    }

    /// Writes the weights to a safetensors file with PyTorch's names and layouts. A file of that name is replaced when
    /// all is written, not before.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] when a value is infinite or not a number: no such file could be loaded again, and
    /// an older one that can is kept.
    fn save_safetensors(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        safetensors::save(self.weights(), path.as_ref())
    }
}

impl<N: Network> Checkpoint for N {}

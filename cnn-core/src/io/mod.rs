//! Files of weights. Knows networks; knows nothing of training.
//!
//! A file that is read is not trusted: whatever it is or says, the outcome is weights or an [`Error`], in time that is linear
//! in its header and in the network, and in memory that is not larger than both.

mod half;
mod header;
mod load;
mod names;
mod number;
mod replace;
mod report;
mod save;
mod source;

pub use replace::{check_replaceable, replace_file};
pub use report::LoadReport;

use std::path::Path;

use load::{Reading, load};

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
    ///
    /// - F16 and BF16 are converted; F64 is rounded to the nearest f32, and beyond its range to an infinity, as PyTorch does.
    ///   Integers and types of 8 bits and less are refused as weights: they are quantized, and their scale is elsewhere.
    /// - An infinity is a value like any other. What is not a number (NaN) is an error: it would be in every output.
    /// - `num_batches_tracked` may be of any type of integer or floating-point number, of shape `[]` or `[1]`, and may be
    ///   missing: files from before PyTorch 0.4.1 lack it, and it is 0 then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] with all that does not fit; the network is then as it was.
    fn load_safetensors(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.load_safetensors_stripped(path, "")
    }

    /// [`load_safetensors`](Self::load_safetensors), from a file some of whose names start with a prefix that the network's
    /// do not have, such as `"module."` of PyTorch's `DataParallel`.
    ///
    /// # Errors
    ///
    /// Those of [`load_safetensors`](Self::load_safetensors).
    fn load_safetensors_stripped(&mut self, path: impl AsRef<Path>, prefix: &str) -> Result<(), Error> {
        let mut weights = Weights::zeros();
        let problems = load(path.as_ref(), Reading { prefix, strict: true }, &mut weights)?;
        if !problems.is_empty() {
            return Err(Error::Weights { path: path.as_ref().to_owned(), problems });
        }
        self.weights_mut().take(weights);
        Ok(())
    }

    /// Takes from a safetensors file the tensors that fit, and leaves the others as they are: to start from a network that
    /// was trained on other classes, say. The report says what did not fit.
    ///
    /// A count (`num_batches_tracked`) goes with its running statistics: it is the file's, or 0 if the file has none, where
    /// they are the file's; the network's own where they are; and 0 where one is the file's and the other is not.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] when it is no whole safetensors file; the network is then as it was.
    fn load_safetensors_lenient(&mut self, path: impl AsRef<Path>) -> Result<LoadReport, Error> {
        self.load_safetensors_lenient_stripped(path, "")
    }

    /// [`load_safetensors_lenient`](Self::load_safetensors_lenient), from a file some of whose names start with a prefix that
    /// the network's do not have; see [`load_safetensors_stripped`](Self::load_safetensors_stripped).
    ///
    /// # Errors
    ///
    /// Those of [`load_safetensors_lenient`](Self::load_safetensors_lenient).
    fn load_safetensors_lenient_stripped(&mut self, path: impl AsRef<Path>, prefix: &str) -> Result<LoadReport, Error> {
        let mut weights = self.weights().clone();
        let problems = load(path.as_ref(), Reading { prefix, strict: false }, &mut weights)?;
        self.weights_mut().take(weights);
        Ok(LoadReport { problems })
    }

    /// Writes the weights to a safetensors file with PyTorch's names and layouts. A file of that name is replaced as a whole
    /// when all is written, not before, and keeps its permissions; see [`replace_file`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Weights`] when a value is not a number: no such file could be loaded again, and an older one
    /// that can is kept.
    fn save_safetensors(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        save::save(self.weights(), path.as_ref())
    }
}

impl<N: Network> Checkpoint for N {}

//! Files of weights. Knows networks; knows nothing of training.
//!
//! A file that is read is not trusted: whatever it is or says, the outcome is weights or an [`Error`], in time that is linear
//! in what it says and in the network, and in memory that is a small multiple of both.

mod catalog;
mod half;
mod header;
mod load;
mod loading;
mod names;
mod number;
mod open;
#[cfg(feature = "pth")]
mod pth;
mod replace;
mod report;
mod save;
mod sharded;
mod snapshot;
mod snapshots;
mod source;
mod write;

pub use loading::Loading;
pub use replace::{check_replaceable, replace_file};
pub use report::LoadReport;
pub use snapshot::{SavedSnapshot, Snapshot};
pub use snapshots::Snapshots;

use std::path::Path;

use source::Source;

use crate::Error;
use crate::network::Network;

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
    /// Takes the weights from a file with PyTorch's names and layouts, such as a `state_dict` of torchvision's. What it is says
    /// its content, not its name:
    ///
    /// - a safetensors file;
    /// - `model.safetensors.index.json`, whose shards are beside it;
    /// - with the feature `pth`, a file of `torch.save`, of PyTorch 0.1.10 or later: a `state_dict`, or a dict that has one. It
    ///   is a program for a machine that makes any object and calls any function; the machine here makes tensors, numbers,
    ///   strings and containers, and whatever else is wanted of it is an error that says what. A module as a whole
    ///   (`torch.save(model, ..)`) is such a wish.
    ///
    /// Numbers, wherever they are:
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
    fn load(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.load_with(path, &Loading::new()).map(drop)
    }

    /// [`load`](Self::load) with options: leniently, from under a key, with names that are changed.
    ///
    /// ```no_run
    /// use cnn_core::io::Loading;
    /// use cnn_core::prelude::*;
    ///
    /// # fn finetune(mut net: impl Network) -> Result<(), Error> {
    /// let report = net.load_with("checkpoint.pth", &Loading::new().strict(false).strip_prefix("module."))?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    fn load_with(&mut self, path: impl AsRef<Path>, loading: &Loading<'_>) -> Result<LoadReport, Error> {
        load::load(self, open::open(Source::open(path.as_ref())?, loading)?, loading)
    }

    /// [`load_with`](Self::load_with), from a file in memory, such as `include_bytes!("weights.safetensors")`; not from an
    /// index, as its shards are files.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] with all that does not fit; the network is then as it was.
    fn load_from_bytes(&mut self, bytes: &[u8], loading: &Loading<'_>) -> Result<LoadReport, Error> {
        load::load(self, open::open(Source::memory(bytes), loading)?, loading)
    }

    /// [`load`](Self::load), from a safetensors file and no other.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    fn load_safetensors(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        load::load(self, open::safetensors(Source::open(path.as_ref())?)?, &Loading::new()).map(drop)
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

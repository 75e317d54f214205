//! Where samples come from: files, which are not trusted, and memory.

mod cifar;
mod csv;
#[cfg(feature = "images")]
mod decode;
#[cfg(feature = "images")]
mod folder;
mod idx;
mod images;
mod npy;
#[cfg(feature = "images")]
mod pairs;
mod tensors;
#[cfg(feature = "images")]
mod walk;

pub use csv::Csv;
#[cfg(feature = "images")]
pub use decode::Decoding;
#[cfg(feature = "images")]
pub use folder::ImageFolder;
pub use images::{Images, LabelledImages};
pub use npy::{Npy, NpyValues};
#[cfg(feature = "images")]
pub use pairs::SegmentationFolder;
pub use tensors::Tensors;

//! Samples for networks: from files and memory, transformed, split, and loaded in batches ahead of the training.
//!
//! A source of pictures and [`Transforms`] are a [`Dataset`], whose samples have the static shape of a network's input; a
//! [`Loader`] makes batches of it on other threads:
//!
//! ```
//! use cnn_core::data::*;
//! use cnn_core::prelude::*;
//!
//! network! {
//!     /// A linear classifier.
//!     pub Classifier<1, 4, 4> { flatten, fc: linear<2> }
//! }
//!
//! // Or `LabelledImages::read_idx`, `read_cifar10`; with the feature `images`, `ImageFolder::open`.
//! let images = Images::new(1, [4, 4], (0..10 * 16).map(|pixel| pixel as u8).collect())?;
//! let images = LabelledImages::<2>::new(images, vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1])?;
//! let normalize = Normalize::of(&images, 1)?;
//! let transforms = Transforms::new().then(RandomCrop::new(4).padding(1)).normalize(normalize);
//! let training_set = Pictures::<_, <Classifier as Network>::Input>::new(images, transforms)?;
//!
//! let mut loader = Loader::new(training_set, LoaderOptions::new(4).shuffled().seed(1).workers(1))?;
//! let (mut network, mut training) = (Classifier::new(1), Training::new(1));
//! let mut optimizer = Sgd::new(SgdOptions::new(0.1))?;
//! for epoch in 0..3 {
//!     for batch in loader.epoch(epoch) {
//!         let batch = batch?;
//!         training.backward(Mode::Training, &mut network, &batch.input, &CrossEntropy::new(&batch.targets))?;
//!         optimizer.step(&mut network, training.gradients());
//!     }
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! Files are not trusted: whatever bytes they hold, the outcome is a valid value or a [`DataError`]. What is random depends on a
//! seed and on what it is for (an epoch, a sample), never on the order of calls or on threads.
//!
//! Pictures are bytes, `[height, width, channels]`, until the last step, and every transform makes the bytes that torchvision
//! makes of a PIL image. Knows no networks or layers.

mod dataset;
mod draw;
mod loader;
mod normalize;
mod picture;
mod pictures;
mod source;
mod split;
mod subset;
mod target;
mod transform;

pub use crate::error::DataError;
pub use dataset::Dataset;
pub use draw::Draw;
pub use loader::{
    Contents, Epoch, Loaded, Loader, LoaderOptions, Mix, MixedOf, Mixing, Sampling, Unmixed, balanced_weights,
};
pub use normalize::Normalize;
pub use picture::{Canvas, Interpolation, Matrix, affine_matrix};
pub use pictures::{PictureSource, Pictures};
pub use source::{Csv, Images, LabelledImages, Npy, NpyValues, Tensors};
#[cfg(feature = "images")]
pub use source::{Decoding, ImageFolder, SegmentationFolder};
pub use split::{Part, random_split, stratified_split};
pub use subset::Subset;
pub use target::{Class, Mask, Target};
pub use transform::{
    CenterCrop, ColorJitter, RandomAffine, RandomCrop, RandomErasing, RandomHorizontalFlip, RandomResizedCrop,
    RandomRotation, RandomVerticalFlip, Resize, Transform, Transforms,
};

//! How good predictions are. Knows classes as numbers and scores as slices, and no networks or tensors.
//!
//! | of | by | |
//! |:--|:--|:--|
//! | predicted classes | [`Accuracy`] | the share that is right |
//! | | [`ConfusionMatrix`] | precision, recall, F1 and intersection over union, of each class and averaged |
//! | scores | [`TopKAccuracy`] | whether the true class is among the first `k` |
//! | | [`AveragePrecision`] | how well the scores of one class put what it is before what it is not |
//! | | [`MeanAveragePrecision`] | the same of each class, and their mean |
//!
//! Each counts on: `record` takes one prediction and `update` those of a batch, the truth first; `reset` forgets all. What cannot be
//! judged is a [`MetricError`], and nothing of its batch is counted then. Neither the order of predictions nor how they are
//! cut into batches changes a bit.
//!
//! ```
//! use cnn_core::metric::{Accuracy, TopKAccuracy};
//! use cnn_core::prelude::*;
//!
//! let (mut accuracy, mut top2) = (Accuracy::new(), TopKAccuracy::<3>::new(2)?);
//! let scores = Batch::<Flat<3>>::from_nchw(&[0.1, 0.7, 0.2, 0.5, 0.3, 0.2])?;
//! let labels = Labels::<3>::new(&[1, 1])?;
//! accuracy.update(labels.as_slice(), &scores.argmax())?;
//! top2.update(labels.as_slice(), scores.values())?;
//! assert_eq!((accuracy.value(), top2.value()), (0.5, 1.0));
//! # Ok::<(), Error>(())
//! ```

mod accuracy;
mod average_precision;
mod confusion;
mod error;
mod precision_recall;
mod top_k;

pub use accuracy::{Accuracy, accuracy};
pub use average_precision::{AveragePrecision, MeanAveragePrecision};
pub use confusion::ConfusionMatrix;
pub use error::MetricError;
pub use precision_recall::{Average, PrecisionRecall};
pub use top_k::TopKAccuracy;

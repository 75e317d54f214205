//! Training from the first epoch to the last: with validation, a progress bar, snapshots from which it goes on bit for bit, and an
//! end by Ctrl-C, by patience or by a callback. The feature `fit`.
//!
//! It is a loop around [`Training`](crate::train::Training) that most people would write; the loop of your own stays as it is.
//!
//! ```
//! use cnn_core::data::{Class, Loader, LoaderOptions, Tensors};
//! use cnn_core::fit::{Accuracy, OfClasses, Ended, Trainer, evaluate};
//! use cnn_core::io::Snapshots;
//! use cnn_core::optim::schedule::CosineAnnealingLr;
//! use cnn_core::prelude::*;
//!
//! network! {
//!     /// Whether a number is above another.
//!     pub Net<2> { linear<8>, relu, linear<2> }
//! }
//!
//! let values: Vec<f32> = (0..200).map(|index| (index * 37 % 100) as f32 / 50.0 - 1.0).collect();
//! let classes = values.chunks(2).map(|pair| Class::<2>((pair[0] > pair[1]).into())).collect();
//! let set = Tensors::new(Batch::<Flat<2>>::from_nchw(&values)?, classes)?;
//! let mut batches = Loader::new(set.clone(), LoaderOptions::new(10).shuffled())?;
//! let mut validation = Loader::new(set, LoaderOptions::new(50))?;
//! # let folder = std::env::temp_dir().join(format!("fit-{}", std::process::id()));
//!
//! let sgd = Sgd::new(SgdOptions::new(0.5).momentum(0.9))?;
//! let mut trainer = Trainer::new(Net::new(0), sgd, 1)
//!     .schedule(CosineAnnealingLr { lr: 0.5, t_max: 200, eta_min: 0.0 })
//!     .snapshots(Snapshots::in_folder(&folder)?);
//! trainer.resume()?; // where a run stopped that was not at its end
//! let ended = trainer.fit(&mut batches, &OfClasses::new(), 20, |net| {
//!     evaluate(net, &mut validation, &OfClasses::new(), &mut [&mut Accuracy::default()])
//! })?;
//! assert!(matches!(ended, Ended::AllEpochs));
//! assert!(trainer.history().last("validation accuracy").is_some_and(|accuracy| accuracy > 0.9));
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), Error>(())
//! ```
//!
//! What it says beside the bar goes to [`tracing`](https://docs.rs/tracing): set up a subscriber to see it.

mod bar;
mod batches;
mod criterion;
mod evaluate;
mod interrupt;
mod metrics;
mod trainer;

pub use crate::history::History;
pub use crate::metric::Accuracy;
pub use batches::Batches;
pub use criterion::{Criterion, OfClasses, OfShares, OfValues};
pub use evaluate::{Metric, Scores, evaluate};
pub use trainer::{Ended, Epoch, Trainer};

//! Every way in which a caller's data can be wrong.

use std::path::PathBuf;

use crate::shape::Sizes;

/// What went wrong, with what was expected and what was found. A function that returns it has changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Values that are no whole number of samples.
    #[error("{found} values are no whole number of {shape} samples of {} values each", shape.len())]
    Length {
        /// The shape of one sample.
        shape: Sizes,
        /// How many values there are.
        found: usize,
    },
    /// No samples.
    #[error("the batch is empty: it takes at least one {shape} sample")]
    EmptyBatch {
        /// The shape of one sample.
        shape: Sizes,
    },
    /// A batch of one value for each channel, in training.
    #[error(
        "{step}: batch_norm2d has no variance to train with: one {map} sample has one value for each channel; \
         take at least two samples"
    )]
    OneValue {
        /// The normalization.
        step: String,
        /// The map that it gets.
        map: Sizes,
    },
    /// Two batches of another number of samples.
    #[error("expected {expected} samples, found {found}")]
    Samples {
        /// Samples of the first.
        expected: usize,
        /// Samples of the second.
        found: usize,
    },
    /// Another number of labels than the output of a batch takes.
    #[error("expected {} labels, {of_each} of each of {samples} samples, found {found}", samples * of_each)]
    Labels {
        /// Samples of the batch.
        samples: usize,
        /// Labels of a sample: 1, or the positions of its map.
        of_each: usize,
        /// How many labels there are.
        found: usize,
    },
    /// A label that names no class.
    #[error("label {index}: {label} is not below the number of classes, {classes}")]
    Label {
        /// Which label.
        index: usize,
        /// Its value.
        label: String,
        /// The number of classes.
        classes: usize,
    },
    /// A loss that is infinite or not a number.
    #[error("the loss is {loss} at step {step}; a lower learning rate, or inputs of unit variance, may help")]
    NonFiniteLoss {
        /// How many steps came before it.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// An option of an optimizer that makes no sense.
    #[error(transparent)]
    Option(#[from] crate::optim::InvalidOption),
    /// Images and labels that cannot be used.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A file that could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said. It is part of the message, so it is no `source`, which would say it again.
        error: std::io::Error,
    },
    /// A file of weights that does not fit the network.
    #[error("{}: {}", path.display(), problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Weights {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        problems: Vec<WeightsProblem>,
    },
}

/// One thing that is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsProblem {
    /// Not in the format.
    #[error("not a safetensors file: {0}")]
    Format(String),
    /// The network has a tensor that the file lacks.
    #[error("tensor {name} is missing: expected {expected:?}{}", did_you_mean(nearest))]
    Missing {
        /// The tensor's name.
        name: String,
        /// Its sizes.
        expected: Vec<usize>,
        /// Names in the file that resemble it.
        nearest: Vec<String>,
    },
    /// The file has a tensor that the network lacks.
    #[error("tensor {name} is not in the network{}", did_you_mean(nearest))]
    Extra {
        /// The tensor's name.
        name: String,
        /// Names in the network that resemble it.
        nearest: Vec<String>,
    },
    /// Of another shape.
    #[error("tensor {name}: expected {expected:?}, found {found:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its sizes in the network.
        expected: Vec<usize>,
        /// Its sizes in the file.
        found: Vec<usize>,
    },
    /// Of another type of number.
    #[error("tensor {name}: expected {expected}, found {found}")]
    Type {
        /// The tensor's name.
        name: String,
        /// The type that the network has.
        expected: String,
        /// Its type in the file.
        found: String,
    },
    /// A count that is negative or too large to keep.
    #[error("tensor {name}: {value} is not a count from 0 to {}", u32::MAX)]
    Count {
        /// The tensor's name.
        name: String,
        /// The value in the file.
        value: i64,
    },
    /// Infinite or not a number.
    #[error("tensor {name}: value {index} is {value}")]
    NonFinite {
        /// The tensor's name.
        name: String,
        /// Which value, in the file's order.
        index: usize,
        /// The value.
        value: f32,
    },
}

fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

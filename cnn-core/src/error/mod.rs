//! Every way in which a caller's data can be wrong.

mod data;
mod nearest;
mod weights;

use std::path::PathBuf;

pub use data::DataError;
pub(crate) use nearest::Nearest;
pub use weights::WeightsProblem;
pub(crate) use weights::lines;

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
        "{step}: {} has no variance to train with: one {map} sample has one value for each {}; take at least two samples",
        if .map.is_flat() { "batch_norm1d" } else { "batch_norm2d" },
        if .map.is_flat() { "feature" } else { "channel" }
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
    /// A loss of rows of no values, or of a batch of no rows.
    #[error("rows of {width} values and a batch of {batch}: a loss takes 1 or more of each")]
    Rows {
        /// Classes, or features.
        width: usize,
        /// Rows of the whole batch.
        batch: usize,
    },
    /// Another number of values than the rows have.
    #[error("{name}: expected {rows} rows of {width} values, found {found} values")]
    Values {
        /// Which of a loss's slices.
        name: &'static str,
        /// How many rows there are.
        rows: usize,
        /// Classes, or features.
        width: usize,
        /// How many values there are.
        found: usize,
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
    /// A tensor's name that the network does not have.
    #[error("{network} has no tensor `{name}`{}", meant(.nearest))]
    NoTensor {
        /// The network.
        network: &'static str,
        /// The name.
        name: String,
        /// Names that may have been meant.
        nearest: Vec<String>,
    },
    /// A tensor that is a count, such as `num_batches_tracked`, where numbers are to be written.
    #[error("{name} is a count, a whole number; it is among `weights_mut().counts_mut()`")]
    IsCount {
        /// The tensor.
        name: String,
    },
    /// What a tensor cannot start as.
    #[error("{name} of sizes {sizes:?} cannot start as {initial}: {why}")]
    Initial {
        /// The tensor.
        name: String,
        /// PyTorch's sizes of it.
        sizes: Vec<usize>,
        /// What it was to start as.
        initial: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A choice of parameters, for a group of an optimizer or to be frozen, that none is in.
    #[error("no parameter of {network} is chosen; they are {}", some(.names))]
    NoParameters {
        /// The network.
        network: &'static str,
        /// What its parameters are called.
        names: Vec<String>,
    },
    /// A part's name that the network does not have.
    #[error("{network} has no part `{name}`{}", part_meant(.nearest))]
    NoPart {
        /// The network.
        network: &'static str,
        /// The name.
        name: String,
        /// Names that may have been meant.
        nearest: Vec<String>,
    },
    /// A part that is no network.
    #[error("{name} of {network} is no network; those within it are {}", some_or_none(.networks))]
    NotANetwork {
        /// The network.
        network: &'static str,
        /// The part.
        name: String,
        /// The names of those that are.
        networks: Vec<String>,
    },
    /// A part that is a network of another type.
    #[error("{name} of {network} is another network than {expected}")]
    OtherPart {
        /// The network.
        network: &'static str,
        /// The part.
        name: String,
        /// What it was taken for.
        expected: &'static str,
    },
    /// A gradient of a network of which nothing is trained.
    #[error("all weights of {network} are frozen, so there is nothing to train; unfreeze some with `unfreeze_weights`")]
    AllFrozen {
        /// The network.
        network: &'static str,
    },
    /// Shards that cannot be shared out so that the sum is the same whoever adds.
    #[error("{shards} shards for {processes} processes: expected two powers of two, the shards the larger")]
    Shards {
        /// Shards of a step.
        shards: usize,
        /// Processes.
        processes: usize,
    },
    /// Another process of a run that does not go on.
    #[error("process {rank}: {what}")]
    Process {
        /// Which.
        rank: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A label that should not count, and is a class.
    #[error("the ignored label {class} is one of the {classes} classes")]
    IgnoredClass {
        /// It.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// An option of a loss that makes no sense.
    #[error("{option} = {value}: {wants}")]
    LossOption {
        /// Its name.
        option: &'static str,
        /// Its value.
        value: f32,
        /// What it should be.
        wants: &'static str,
    },
    /// Images and labels that cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Predictions that cannot be judged.
    #[error(transparent)]
    Metric(#[from] crate::metric::MetricError),
    /// Another number of values than a picture has, or a picture without any.
    #[error(
        "a picture of {width} x {height} pixels with {channels} value{} each: expected {}, found {found}",
        if *.channels == 1 { "" } else { "s" },
        match width.checked_mul(*height).and_then(|pixels| pixels.checked_mul(*channels)) {
            Some(0) => "at least one pixel".to_owned(),
            Some(values) => format!("{values} values"),
            None => "fewer pixels".to_owned(),
        }
    )]
    Picture {
        /// Pixels of a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Values of a pixel.
        channels: usize,
        /// How many values there are.
        found: usize,
    },
    /// A network of which no step but the last makes a map with more places than one.
    #[error("no step of {network} before the last makes a map with height and width, which a class could be seen in")]
    NoMap {
        /// The network.
        network: &'static str,
    },
    /// A file that could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said. It is part of the message, so it is no `source`, which would say it again.
        error: std::io::Error,
    },
    /// A snapshot of another run, or of something else than what it is put into.
    #[error("{}: {problem}", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: crate::snapshot::SnapshotProblem,
    },
    /// A file of weights that does not fit the network. The text tells of a few problems of each kind, and how many more
    /// there are.
    #[error("{}: {}", path.display(), lines(problems).join("\n  "))]
    Weights {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        problems: Vec<WeightsProblem>,
    },
}

/// Names, the first of them if they are many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more, those of `weights().tensors()`", names[..SHOWN].join(", ")),
    }
}

fn some_or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Names of tensors that may have been meant, as the end of a message.
fn meant(nearest: &[String]) -> String {
    meant_or(nearest, "their names are those of `weights().tensors()`")
}

/// Names of parts that may have been meant.
fn part_meant(nearest: &[String]) -> String {
    meant_or(nearest, "`summary()` shows their names")
}

fn meant_or(nearest: &[String], otherwise: &str) -> String {
    match nearest {
        [] => format!("; {otherwise}"),
        names => format!("; did you mean `{}`?", names.join("` or `")),
    }
}

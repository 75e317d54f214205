//! A run in a file: all that the next step depends on.

use core::cell::RefCell;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::header;
use super::load::not_a_number;
use super::number::{Dtype, F32, F64, U8, U64};
use super::source::Source;
use super::write::{Bytes, Piece, write};
use crate::Error;
use crate::error::WeightsProblem;
use crate::network::is_within;
use crate::snapshot::{Content, Found, Item, Record, SnapshotProblem, State};

/// What is by this name in every snapshot, and nowhere else.
const FORMAT: &str = "@snapshot";
const VERSION: u64 = 1;

/// What a run is made of, to be written to a file: its network, its optimizer, its steps, the place in the data, by names of
/// your own.
///
/// A run that is taken up again from a snapshot goes on with the same bits as if it had never been interrupted, whatever its
/// optimizer is, when all that changes from step to step is in it. The file is a safetensors file, whose tensors have PyTorch's
/// names and order behind those names; the weights in it can be loaded by themselves, see
/// [`Loading::under`](super::Loading::under).
///
/// ```
/// use cnn_core::io::{SavedSnapshot, Snapshot};
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
/// }
///
/// let path = std::env::temp_dir().join(format!("run-{}.safetensors", std::process::id()));
/// let (images, labels) = (Batch::from_nchw(&[0.5; 2 * 16])?, Labels::new(&[0, 2])?);
/// let step = |net: &mut Classifier, training: &mut Training<Classifier>, optimizer: &mut Adam<Classifier>| {
///     training.backward(Mode::Training, net, &images, &CrossEntropy::new(&labels))?;
///     optimizer.step(net, training.gradients());
///     Ok::<(), Error>(())
/// };
///
/// let (mut net, mut training) = (Classifier::new(0), Training::new(0));
/// let mut optimizer = Adam::new(AdamOptions::new(0.01))?;
/// let mut epoch = 0_u64;
/// step(&mut net, &mut training, &mut optimizer)?;
/// let run = Snapshot::new().with("model", &net).with("optimizer", &optimizer);
/// run.with("training", &training).with("epoch", &epoch).save(&path)?;
/// step(&mut net, &mut training, &mut optimizer)?;
///
/// // Another day.
/// let (mut again, mut training) = (Classifier::new(1), Training::new(1));
/// let mut optimizer = Adam::new(AdamOptions::new(0.01))?;
/// SavedSnapshot::read(&path)?.restore(&mut [
///     ("model", &mut again),
///     ("optimizer", &mut optimizer),
///     ("training", &mut training),
///     ("epoch", &mut epoch),
/// ])?;
/// step(&mut again, &mut training, &mut optimizer)?;
/// assert_eq!(again.weights(), net.weights());
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), Error>(())
/// ```
#[derive(Default)]
pub struct Snapshot<'a> {
    record: Record<'a>,
}

impl<'a> Snapshot<'a> {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a state, by a name.
    #[must_use]
    pub fn with(mut self, name: &str, state: &'a (impl State + ?Sized)) -> Self {
        self.record.within(name, state);
        self
    }

    /// Writes it to a file, which is replaced as a whole when all is written and synced, not before; see
    /// [`replace_file`](super::replace_file), which also says what becomes of its permissions and of what a killed writer leaves.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], of a full disk too, or [`Error::Weights`] when a value of a tensor is not a number (NaN), as the run could
    /// not go on from there. The file is then as it was. [`Error::Snapshot`] when a name is given twice, or is one of the format's.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        // Those of the format.
        let mut names = BTreeSet::from(["__metadata__", FORMAT]);
        if let Some((name, _)) = self.record.items().iter().find(|(name, _)| !names.insert(name.as_str())) {
            let problem = SnapshotProblem::Other {
                name: name.clone(),
                expected: "one state of this name".to_owned(),
                found: "two".to_owned(),
            };
            return Err(Error::Snapshot { path: path.to_owned(), problem });
        }
        let problems: Vec<_> =
            self.record.items().iter().filter_map(|(name, item)| is_not_a_number(name, item)).collect();
        if !problems.is_empty() {
            return Err(Error::Weights { path: path.to_owned(), problems });
        }
        let format = Piece {
            name: FORMAT.to_owned(),
            dtype: U64,
            sizes: vec![1],
            bytes: Box::new(|| VERSION.to_le_bytes().to_vec()),
        };
        let pieces = self.record.items().iter().map(|(name, item)| piece(name, item));
        write(path, pieces.chain([format]).collect())
    }
}

fn is_not_a_number(name: &str, item: &Item<'_>) -> Option<WeightsProblem> {
    match item {
        Item::Values { values, .. } => not_a_number(name, &values()),
        _ => None,
    }
}

fn piece<'b>(name: &str, item: &'b Item<'_>) -> Piece<'b> {
    fn bytes<T: Copy, const N: usize>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|value| to_bytes(*value)).collect()
    }
    let (dtype, sizes, bytes): (_, _, Bytes<'b>) = match item {
        Item::Values { sizes, values } => (F32, sizes.clone(), Box::new(|| bytes(&values(), f32::to_le_bytes))),
        Item::Wholes(numbers) => (U64, vec![numbers.len()], Box::new(|| bytes(numbers, u64::to_le_bytes))),
        Item::Reals(numbers) => (F64, vec![numbers.len()], Box::new(|| bytes(numbers, f64::to_le_bytes))),
        Item::Text(text) => (U8, vec![text.len()], Box::new(|| text.as_bytes().to_vec())),
    };
    Piece { name: name.to_owned(), dtype, sizes, bytes }
}

/// A run as a file has it.
pub struct SavedSnapshot {
    path: PathBuf,
    items: BTreeMap<String, Content>,
}

impl SavedSnapshot {
    /// Reads all of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Weights`] when it is no whole safetensors file, or has values that are not numbers;
    /// [`Error::Snapshot`] when it is no snapshot.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let source = Source::open(&path)?;
        let mut items = BTreeMap::new();
        let snapshot_error = |problem| Error::Snapshot { path: path.clone(), problem };
        for entry in header::entries_of(&source, 0)? {
            let super::catalog::Value::Tensor(tensor) = entry.value else { continue };
            let unknown = || SnapshotProblem::Other {
                name: entry.name.clone(),
                expected: "F32, F64, U64 or U8".to_owned(),
                found: tensor.dtype.name().to_owned(),
            };
            let len = tensor.dtype.bytes(&tensor.sizes).unwrap_or(0);
            let bytes = source.read(tensor.begin, len, Some(&entry.name))?;
            let content =
                content(tensor.dtype, tensor.sizes.clone(), &bytes).ok_or_else(|| snapshot_error(unknown()))?;
            if let Content::Values { values, .. } = &content
                && let Some(problem) = not_a_number(&entry.name, values)
            {
                return Err(source.problem(problem));
            }
            items.insert(entry.name, content);
        }
        match items.remove(FORMAT) {
            Some(Content::Wholes(version)) if version == [VERSION] => Ok(Self { path, items }),
            other => {
                let name = FORMAT.to_owned();
                let found =
                    other.map_or_else(|| "none: it is a file of weights, say".to_owned(), |other| format!("{other:?}"));
                Err(snapshot_error(SnapshotProblem::Other { name, expected: format!("version {VERSION}"), found }))
            }
        }
    }

    /// Puts states back by the names that they were noted by: all of these, or none if one does not fit. What else is in the
    /// snapshot is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::Snapshot`], with the name of what does not fit; nothing is changed then.
    pub fn restore(&self, states: &mut [(&str, &mut dyn State)]) -> Result<(), Error> {
        let asked = RefCell::new(BTreeSet::new());
        let names: Vec<String> = states.iter().map(|(name, _)| (*name).to_owned()).collect();
        let found = Found::new(&self.items, &asked);
        let staged: Result<Vec<_>, _> =
            states.iter_mut().map(|(name, state)| found.stage(name, &mut **state)).collect();
        let staged = staged.map_err(|problem| self.problem(problem))?;
        let asked_for = asked.borrow();
        let mut extra = self.items.keys().filter(|item| !asked_for.contains(*item));
        if let Some(name) = extra.find(|item| names.iter().any(|name| is_within(name, item))) {
            return Err(self.problem(SnapshotProblem::Extra { name: name.clone() }));
        }
        staged.into_iter().for_each(|put_back| put_back());
        Ok(())
    }

    fn problem(&self, problem: SnapshotProblem) -> Error {
        Error::Snapshot { path: self.path.clone(), problem }
    }

    /// Whether there is something by a name, or within it.
    pub fn has(&self, name: &str) -> bool {
        self.items.keys().any(|item| is_within(name, item))
    }
}

/// None of another type.
fn content(dtype: Dtype, sizes: Vec<usize>, bytes: &[u8]) -> Option<Content> {
    fn numbers<T, const N: usize>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks().0.iter().map(|bytes| of(*bytes)).collect()
    }
    Some(match dtype {
        F32 => Content::Values { sizes, values: numbers(bytes, f32::from_le_bytes) },
        U64 => Content::Wholes(numbers(bytes, u64::from_le_bytes)),
        F64 => Content::Reals(numbers(bytes, f64::from_le_bytes)),
        U8 => Content::Text(String::from_utf8(bytes.to_vec()).ok()?),
        _ => return None,
    })
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Snapshot({} items)", self.record.items().len())
    }
}

impl fmt::Debug for SavedSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SavedSnapshot({}, {} items)", self.path.display(), self.items.len())
    }
}

//! The snapshots of a run in a folder: the last few, and the best.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::snapshot::{SavedSnapshot, Snapshot};
use crate::Error;

/// What names of snapshots begin and end with.
const NAME: [&str; 2] = ["step-", ".safetensors"];
const BEST: &str = "best.safetensors";

/// A folder of snapshots, each a file by the number of its step, `step-0000000120.safetensors`; and the best, if somebody says
/// which that is, `best.safetensors`. Other files there are left alone.
///
/// ```
/// use cnn_core::io::{Snapshot, Snapshots};
///
/// let folder = std::env::temp_dir().join(format!("snapshots-{}", std::process::id()));
/// let snapshots = Snapshots::in_folder(&folder)?.keep_last(2);
/// let mut step = 0_u64;
/// if let Some(saved) = snapshots.read_latest()? {
///     saved.restore(&mut [("step", &mut step)])?;
/// }
/// for step in step..5 {
///     snapshots.save(step, &Snapshot::new().with("step", &step))?;
/// }
/// assert_eq!(snapshots.steps()?, [3, 4]);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), cnn_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
    keep: usize,
}

impl Snapshots {
    /// In a folder, which is made if it is not there. The last three are kept.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be made, or is no folder.
    pub fn in_folder(path: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = path.as_ref().to_owned();
        fs::create_dir_all(&folder).map_err(|error| Error::Io { path: folder.clone(), error })?;
        Ok(Self { folder, keep: 3 })
    }

    /// Keeps so many, at least one.
    #[must_use]
    pub fn keep_last(self, keep: usize) -> Self {
        Self { keep: keep.max(1), ..self }
    }

    /// Writes the snapshot of a step, as [`Snapshot::save`] does, and then removes those of the earliest steps that are not to be
    /// kept; those of later ones than this, of a run that went further before, go too. Returns where it is.
    ///
    /// # Errors
    ///
    /// Those of [`Snapshot::save`]; nothing is removed then. That another one cannot be removed is no error.
    pub fn save(&self, step: u64, snapshot: &Snapshot<'_>) -> Result<PathBuf, Error> {
        let path = self.of(step);
        snapshot.save(&path)?;
        let steps = self.steps()?;
        let (earlier, later): (Vec<u64>, Vec<u64>) = steps.into_iter().partition(|other| *other <= step);
        let old = &earlier[..earlier.len().saturating_sub(self.keep)];
        for step in old.iter().chain(&later) {
            let _ = fs::remove_file(self.of(*step));
        }
        Ok(path)
    }

    /// Writes a snapshot as the best so far, in the place of the best before. Returns where it is.
    ///
    /// # Errors
    ///
    /// Those of [`Snapshot::save`].
    pub fn save_best(&self, snapshot: &Snapshot<'_>) -> Result<PathBuf, Error> {
        let path = self.folder.join(BEST);
        snapshot.save(&path)?;
        Ok(path)
    }

    /// The steps of which there are snapshots, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the folder cannot be read.
    pub fn steps(&self) -> Result<Vec<u64>, Error> {
        let io = |error| Error::Io { path: self.folder.clone(), error };
        let mut steps = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(NAME[0])?.strip_suffix(NAME[1]));
            let step = number.and_then(|number| number.parse().ok());
            steps.extend(step.filter(|step| self.of(*step).file_name() == Some(&name)));
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// The snapshot of the last step, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the folder cannot be read; those of [`SavedSnapshot::read`].
    pub fn read_latest(&self) -> Result<Option<SavedSnapshot>, Error> {
        // One that goes while we look was replaced by a later one.
        for _ in 0..10 {
            let Some(step) = self.steps()?.pop() else { return Ok(None) };
            if let Some(saved) = read_if_there(&self.of(step))? {
                return Ok(Some(saved));
            }
        }
        Ok(None)
    }

    /// The best snapshot, if there is one.
    ///
    /// # Errors
    ///
    /// Those of [`SavedSnapshot::read`].
    pub fn read_best(&self) -> Result<Option<SavedSnapshot>, Error> {
        read_if_there(&self.folder.join(BEST))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the snapshot of a step is.
    fn of(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{}{step:010}{}", NAME[0], NAME[1]))
    }
}

/// None of a file that there is not.
fn read_if_there(path: &Path) -> Result<Option<SavedSnapshot>, Error> {
    match SavedSnapshot::read(path) {
        Err(Error::Io { error, .. }) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

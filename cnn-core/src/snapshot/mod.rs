//! What a run remembers, so that it can be taken up again bit for bit: numbers and words by name, of whatever has a [`State`].
//! Knows nothing of what they are of, nor of files; [`io::Snapshot`](crate::io::Snapshot) writes them to one.

mod problem;
mod read;
mod state;
mod write;

pub use problem::SnapshotProblem;
pub use read::{Content, Found};
pub use state::{Staged, State};
pub use write::{Item, Record};

/// Why a snapshot does not fit what it is to be put into.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotProblem {
    /// It has nothing of a name.
    #[error("it has no {name}; it has {}", listed(.has))]
    Missing {
        /// The name.
        name: String,
        /// What it has beside that, without what is within.
        has: Vec<String>,
    },
    /// It has something that nobody asked for, of what was put back.
    #[error("{name}: it is of something that is not there now")]
    Extra {
        /// The name.
        name: String,
    },
    /// Something else than what is there now.
    #[error("{name}: expected {expected}, found {found}")]
    Other {
        /// The name.
        name: String,
        /// What is there now.
        expected: String,
        /// What was there.
        found: String,
    },
}

/// Names, the first of them if they are many.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names.len().checked_sub(SHOWN) {
        _ if names.is_empty() => "nothing".to_owned(),
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

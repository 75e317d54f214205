//! Files that come at the end of a long run.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, ensure};

/// Finds out before a long run that its result could not be written. What is in the file stays.
pub fn check(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    ensure!(!path.is_dir(), "{shown}: is a folder");
    let Some(name) = path.file_name() else { anyhow::bail!("{shown}: is no name of a file") };
    let mut beside = name.to_owned();
    beside.push(format!(".{}.check", std::process::id()));
    let beside = path.with_file_name(beside);
    File::create_new(&beside)
        .and_then(|_| fs::remove_file(&beside))
        .with_context(|| format!("{shown}: cannot be written"))
}

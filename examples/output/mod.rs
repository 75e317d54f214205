//! Files that come at the end of a long run.

use std::path::Path;

use anyhow::Context;
use cnn_core::io::check_replaceable;

/// Finds out before a long run that its result could not be written. What is in the file stays.
pub fn check(path: &Path) -> anyhow::Result<()> {
    check_replaceable(path).with_context(|| format!("{}: cannot be written", path.display()))
}

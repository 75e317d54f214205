//! Files in folders, in the order in which torchvision finds them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::data::DataError;

/// Kinds of pictures that are read here.
const READ: [&str; 3] = ["jpg", "jpeg", "png"];
/// Kinds that torchvision reads besides: to leave them out without a word would train on less than the user has.
const NOT_READ: [&str; 6] = ["ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// A name as Python compares it: by code points, each byte that is no part of one as a lone surrogate (`os.fsdecode`).
pub(super) fn key(name: &OsStr) -> Vec<u32> {
    let mut key = Vec::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        key.extend(chunk.valid().chars().map(u32::from));
        key.extend(chunk.invalid().iter().map(|&byte| 0xdc00 + u32::from(byte)));
    }
    key
}

fn in_folder<T>(path: &Path, result: io::Result<T>) -> Result<T, DataError> {
    result.map_err(|error| DataError::Io { path: path.into(), error })
}

/// What is in a folder and is not hidden, by name: each path, and whether it is a folder (or a link to one).
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool)>, DataError> {
    let mut entries = Vec::new();
    for entry in in_folder(folder, fs::read_dir(folder))? {
        let entry = in_folder(folder, entry)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        let mut kind = in_folder(&path, entry.file_type())?;
        if kind.is_symlink() {
            kind = in_folder(&path, fs::metadata(&path))?.file_type();
        }
        entries.push((path, kind.is_dir()));
    }
    entries.sort_by_cached_key(|(path, _)| key(path.file_name().unwrap_or_default()));
    Ok(entries)
}

/// The folders in a folder, by name.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?.into_iter().filter_map(|(path, is_folder)| is_folder.then_some(path)).collect())
}

/// All pictures in a folder and in those within it, at least one: the folders by their paths, the files of each by name.
pub(super) fn pictures(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    walk(root, &mut vec![in_folder(root, fs::canonicalize(root))?], &mut found)?;
    found.sort_by_cached_key(|(folder, _)| key(folder.as_os_str()));
    let files: Vec<_> = found.into_iter().flat_map(|(_, files)| files).collect();
    if files.is_empty() { Err(DataError::NoPictures { path: root.into() }) } else { Ok(files) }
}

/// `above` are the folders that it lies in and itself, without links.
fn walk(folder: &Path, above: &mut Vec<PathBuf>, found: &mut Vec<(PathBuf, Vec<PathBuf>)>) -> Result<(), DataError> {
    let mut files = Vec::new();
    for (path, is_folder) in entries(folder)? {
        if is_folder {
            let real = in_folder(&path, fs::canonicalize(&path))?;
            if above.contains(&real) {
                return Err(DataError::LinkLoop { path });
            }
            above.push(real);
            walk(&path, above, found)?;
            above.pop();
            continue;
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let is_one_of = |kinds: &[&str]| extension.as_deref().is_some_and(|extension| kinds.contains(&extension));
        if is_one_of(&NOT_READ) {
            return Err(DataError::Extension { path });
        }
        if is_one_of(&READ) {
            files.push(path);
        }
    }
    found.push((folder.to_owned(), files));
    Ok(())
}

//! Files that change as a whole: a reader sees the old bytes or the new ones, and of two writers the last one wins.
//!
//! The new bytes are written beside the file, to one with a random name that did not exist, synced, and renamed. While a
//! writer lives it holds a lock on what it writes, which the system gives back however the writer ends; so what a writer
//! that was killed left behind is told from what another is writing, also where processes of two containers have the same
//! number, and the next writer removes it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::source::regular;

/// What names of files that are being written begin and end with.
const NAME: [&str; 2] = [".cnn-core-", ".partial"];

/// Puts what `write` writes in the place of a file, or makes one, as a whole: until all is written and synced, the old bytes
/// stay. The file keeps its permissions, and its owner where the system allows that; behind a symbolic link, its target is
/// replaced and the link stays. Extended attributes are not kept, and other hard links go on naming the old bytes.
///
/// What is being written has a short name in the same folder, `.cnn-core-RANDOM.partial`, however long that of the file is. If
/// the process is killed, the next call on a file of that folder removes it.
///
/// # Errors
///
/// What the system says, or `write`; the old bytes are then as they were. So it is an error if the path is no regular file,
/// a link to nothing, or a file that may not be written. Only an error of syncing the folder comes when the file has been
/// replaced already.
pub fn replace_file(path: impl AsRef<Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = Target::of(path.as_ref())?;
    remove_leftovers(target.folder());
    let partial = Partial::create(&target)?;
    let mut writer = BufWriter::new(&partial.file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    if let Some(old) = &target.old {
        platform::keep_access(&partial.file, old)?;
    }
    partial.file.sync_all()?;
    partial.rename(&target.path)?;
    platform::sync_folder(target.folder())
}

/// Finds out whether [`replace_file`] could write a file, say before a long run whose result it is to be. What is in the
/// file stays.
///
/// # Errors
///
/// Those of [`replace_file`].
pub fn check_replaceable(path: impl AsRef<Path>) -> io::Result<()> {
    let target = Target::of(path.as_ref())?;
    Partial::create(&target).map(drop)
}

/// What is to be replaced.
struct Target {
    /// No link.
    path: PathBuf,
    /// The file that there is.
    old: Option<Metadata>,
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if path.file_name().is_none() {
                    return Err(io::Error::new(ErrorKind::InvalidInput, "is no name of a file"));
                }
                return Ok(Self { path: path.to_owned(), old: None });
            }
            found => found?,
        };
        let path = if found.is_symlink() {
            fs::canonicalize(path).map_err(|error| match error.kind() {
                ErrorKind::NotFound => io::Error::new(ErrorKind::NotFound, "is a symbolic link to nothing"),
                _ => error,
            })?
        } else {
            path.to_owned()
        };
        let old = fs::metadata(&path)?;
        regular(&old)?;
        // A file that may not be written may not be replaced either, though its folder would allow it.
        OpenOptions::new().write(true).open(&path)?;
        Ok(Self { path, old: Some(old) })
    }

    fn folder(&self) -> &Path {
        let parent = self.path.parent().unwrap_or(Path::new(""));
        if parent == Path::new("") { Path::new(".") } else { parent }
    }
}

/// A file that is being written. It is removed unless it gets its name.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn create(target: &Target) -> io::Result<Self> {
        // More than one is taken by chance never, and by another who is removing it seldom.
        const ATTEMPTS: usize = 100;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if target.old.is_some() {
            // Nobody may read the new bytes who may not read the old ones.
            platform::make_private(&mut options);
        }
        for _ in 0..ATTEMPTS {
            let path = target.folder().join(format!("{}{:016x}{}", NAME[0], random(), NAME[1]));
            let file = match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            let partial = Self { path, file };
            let is_being_removed = matches!(partial.file.try_lock(), Err(TryLockError::WouldBlock));
            // Where nothing can be locked, nobody removes it either. Before it was locked, it may have been removed.
            if !is_being_removed && fs::symlink_metadata(&partial.path).is_ok() {
                return Ok(partial);
            }
        }
        Err(io::Error::other("cannot make a file in its folder: others remove it"))
    }

    fn rename(self, path: &Path) -> io::Result<()> {
        if cfg!(windows) {
            // There a lock keeps others from reading.
            let _ = self.file.unlock();
        }
        // On an error it is removed.
        fs::rename(&self.path, path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is none of this name. What could not be removed is of no use to anyone; that it could not be is
        // not the error to tell of.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what writers to a folder left that live no more. What cannot be removed is left for others.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if !is_partial(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        // Somebody may have put something else there, which opening could wait for.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_file && let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) {
            // Its writer has a lock on it as long as it lives.
            if file.try_lock().is_ok() {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

fn is_partial(name: &str) -> bool {
    let middle = name.strip_prefix(NAME[0]).and_then(|rest| rest.strip_suffix(NAME[1]));
    middle.is_some_and(|middle| middle.len() == 16 && middle.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A number that nobody can guess.
fn random() -> u64 {
    // Its keys are the system's random numbers.
    RandomState::new().hash_one(())
}

#[cfg(unix)]
mod platform {
    use std::fs::{File, Metadata, OpenOptions, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    use std::path::Path;

    pub(super) fn make_private(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    /// Gives a file the owner and the permissions of another, as far as the system allows.
    pub(super) fn keep_access(file: &File, old: &Metadata) -> io::Result<()> {
        let new = file.metadata()?;
        let mut mode = old.mode() & 0o7777;
        if new.gid() != old.gid() && fchown(file, None, Some(old.gid())).is_err() {
            // What a group was allowed to do is not for another one.
            mode = mode & !0o070 | (mode & 0o007) << 3;
        }
        if new.uid() != old.uid() && fchown(file, Some(old.uid()), None).is_err() {
            // Nor may others act as the one who writes.
            mode &= !0o6000;
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Makes a new name in a folder last, if the system can.
    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        match synced {
            // A folder that may be written and not read, and file systems that cannot sync folders.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) fn make_private(_: &mut OpenOptions) {}

    pub(super) fn keep_access(file: &File, old: &Metadata) -> io::Result<()> {
        file.set_permissions(old.permissions())
    }

    /// Folders cannot be synced there.
    pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

//! A file that is not trusted, read piece by piece: nothing is allocated for bytes that nobody asked for.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::WeightsProblem;

/// A file, and its length when it was opened.
pub(super) struct Source<'a> {
    path: PathBuf,
    bytes: Bytes<'a>,
    pub(super) len: u64,
}

enum Bytes<'a> {
    File(File),
    Memory(&'a [u8]),
}

impl<'a> Source<'a> {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let open = || {
            // Before it is opened: that of a pipe would wait for a writer, and reading a device may never end.
            regular(&std::fs::metadata(path)?)?;
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            regular(&metadata)?;
            Ok((file, metadata.len()))
        };
        let (file, len) = open().map_err(|error| Error::Io { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), bytes: Bytes::File(file), len })
    }

    /// What is in memory, which errors call that.
    pub(super) fn memory(bytes: &'a [u8]) -> Self {
        Self { path: "bytes in memory".into(), bytes: Bytes::Memory(bytes), len: bytes.len() as u64 }
    }

    /// Where it is, if it is a file.
    pub(super) fn path(&self) -> Option<&Path> {
        matches!(self.bytes, Bytes::File(_)).then_some(&self.path)
    }

    /// So many bytes, no more than there are or the caller has memory for, from a place on. `name` is the tensor that they
    /// are of; none for the header.
    pub(super) fn read(&self, from: u64, bytes: u64, name: Option<&str>) -> Result<Vec<u8>, Error> {
        let mut read = Vec::with_capacity(bytes as usize);
        let result = match &self.bytes {
            Bytes::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(from)).and_then(|_| file.take(bytes).read_to_end(&mut read))
            }
            Bytes::Memory(memory) => {
                let start = from.min(self.len) as usize;
                memory[start..].take(bytes).read_to_end(&mut read)
            }
        };
        match result {
            Err(error) => Err(Error::Io { path: self.path.clone(), error }),
            Ok(found) if (found as u64) < bytes => {
                // It was longer when it was opened.
                let (expected, found) = (self.len.max(from + bytes), from + found as u64);
                Err(self.problem(WeightsProblem::Truncated { name: name.map(str::to_owned), expected, found }))
            }
            Ok(_) => Ok(read),
        }
    }

    pub(super) fn problem(&self, problem: WeightsProblem) -> Error {
        self.problems(vec![problem])
    }

    pub(super) fn problems(&self, problems: Vec<WeightsProblem>) -> Error {
        Error::Weights { path: self.path.clone(), problems }
    }
}

/// That it is a file of bytes with an end, not a folder, a pipe or a device.
pub(super) fn regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(io::Error::new(ErrorKind::IsADirectory, "is a folder, not a file"))
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "is not a regular file"))
    }
}

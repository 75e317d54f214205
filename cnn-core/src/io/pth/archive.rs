//! Files of `torch.save` since version 1.6: an archive whose records `NAME/data.pkl` and `NAME/data/KEY` are the pickle and
//! the storages, which are not compressed.
//! <https://github.com/pytorch/pytorch/blob/main/caffe2/serialize/inline_container.h>

use std::collections::HashMap;
use std::io;

use rawzip::{CompressionMethod, ErrorKind, ReaderAt, ZipArchiveEntryWayfinder, ZipLocator};

use super::pickle::{self, Storage};
use super::storage::Place;
use super::stream::Stream;
use super::{entries_of, state_dict};
use crate::Error;
use crate::error::WeightsProblem;
use crate::io::catalog::Entry;
use crate::io::source::Source;

/// Behind the end of the directory is a comment of so many bytes at most.
const COMMENT: u64 = 1 << 16;
/// Much more than a file has, unless it is made to take long.
const MOST_RECORDS: usize = 1 << 18;

impl ReaderAt for Source<'_> {
    fn read_at(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        let bytes = (buffer.len() as u64).min(self.len.saturating_sub(from));
        // Not asked for more than there is, it says so only if the file is another than it was.
        let read = self.read(from.min(self.len), bytes, None).map_err(|error| io::Error::other(error.to_string()))?;
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }
}

pub(super) fn entries(source: &Source<'_>, keys: &[String]) -> Result<Vec<Entry>, Error> {
    let archive = Archive::open(source)?;
    if archive.records.contains_key("constants.pkl") {
        let what =
            "a program of TorchScript; load it there and write it with torch.save(model.state_dict(), ..)".to_owned();
        return Err(source.problem(WeightsProblem::Unsupported(what)));
    }
    let order = archive.place("byteorder").transpose().map_err(|problem| source.problem(problem))?;
    if let Some(Place { begin, bytes }) = order
        && source.read(begin, bytes.min(16), None)? != b"little"
    {
        return Err(source.problem(super::big_endian()));
    }
    let pickle = match archive.place("data.pkl") {
        None => Err(WeightsProblem::Archive("it has no record data.pkl, as those of torch.save do".to_owned())),
        Some(place) => place,
    };
    let Place { begin, bytes } = pickle.map_err(|problem| source.problem(problem))?;
    let made = pickle::run(&mut Stream::new(source, begin, begin + bytes))?;
    let named = state_dict::find(&made, keys).map_err(|problem| source.problem(problem))?;
    entries_of(source, &made, named, |name, storage: &Storage| {
        let record = format!("data/{}", made.storages[storage.place].0);
        archive.place(&record).unwrap_or_else(|| {
            let expected = format!("its values, in the record {record}");
            Err(WeightsProblem::Entry { name: name.to_owned(), expected, found: "no such record".to_owned() })
        })
    })
}

/// The records of an archive.
struct Archive<'s> {
    zip: rawzip::ZipArchive<&'s Source<'s>>,
    len: u64,
    /// By their names below the folder that all are in.
    records: HashMap<String, (ZipArchiveEntryWayfinder, CompressionMethod)>,
}

impl<'s> Archive<'s> {
    fn open(source: &'s Source<'_>) -> Result<Self, Error> {
        let broken = |what: &dyn std::fmt::Display| source.problem(WeightsProblem::Archive(what.to_string()));
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let locator = ZipLocator::new().max_search_space(COMMENT + 22);
        let zip =
            locator.locate_in_reader(source, &mut buffer, source.len).map_err(|(_, error)| match error.kind() {
                ErrorKind::MissingEndOfCentralDirectory => {
                    broken(&"its directory, which is at the end, is missing; was the download interrupted?")
                }
                _ => broken(&error),
            })?;
        let mut records = HashMap::new();
        let mut entries = zip.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(|error| broken(&error))? {
            let path = entry.file_path();
            let path = str::from_utf8(path.as_ref()).map_err(|_| broken(&"a name in it is not UTF-8"))?;
            if records.len() == MOST_RECORDS {
                return Err(broken(&format!("it has more than {MOST_RECORDS} records")));
            }
            let name = path.split_once('/').map_or(path, |(_, name)| name).to_owned();
            if entry.flags().is_encrypted() {
                return Err(broken(&format!("the record {name} is encrypted")));
            }
            let record = (entry.wayfinder(), entry.compression_method());
            if records.insert(name.clone(), record).is_some() {
                return Err(broken(&format!("it has two records {name}")));
            }
        }
        Ok(Self { zip, len: source.len, records })
    }

    /// Where a record's bytes are, if it is there. Its checksum is not looked at: PyTorch can be told to write none.
    fn place(&self, name: &str) -> Option<Result<Place, WeightsProblem>> {
        let (record, method) = self.records.get(name)?;
        let broken = |what: &str| WeightsProblem::Archive(format!("the record {name} {what}"));
        if *method != CompressionMethod::STORE {
            return Some(Err(broken("is compressed, which torch.save does not do")));
        }
        let range = match self.zip.get_entry(*record) {
            Ok(entry) => entry.compressed_data_range(),
            Err(error) => return Some(Err(broken(&format!("cannot be found: {error}")))),
        };
        let (begin, end) = range;
        Some(if begin <= end && end <= self.len {
            Ok(Place { begin, bytes: end - begin })
        } else {
            Err(broken("goes beyond the end of the file"))
        })
    }
}

//! Files of `torch.save`: an archive of a pickle and the numbers or, before version 1.6, one behind the other.
//!
//! A pickle is a program for a machine with a stack. `pickle.rs` runs what makes containers and tensors, and knows of the
//! functions and classes of `globals.rs` what they would make; there is nothing that it could call. No crate does that: those
//! that read pickles either make any value of one without tensors, or belong to a framework. `storage.rs` says where the
//! numbers are, `state_dict.rs` which of the values is the one that people mean.

mod archive;
mod globals;
mod legacy;
mod pickle;
mod state_dict;
mod storage;
mod stream;

use pickle::{Made, Object, Storage, Value};
use storage::Place;

use super::catalog::{self, Catalog, Entry, Files};
use super::source::Source;
use crate::Error;
use crate::error::WeightsProblem;

/// No file has nearly as many tensors, but one that is made to take long, or much memory.
const MOST_TENSORS: usize = 1 << 18;

/// What a file of `torch.save` has, under these keys if there are any.
pub(super) fn open<'a>(source: Source<'a>, keys: &[String]) -> Result<Catalog<'a>, Error> {
    let start = source.read(0, source.len.min(2), None)?;
    let entries = if start == b"PK" { archive::entries(&source, keys)? } else { legacy::entries(&source, keys)? };
    Ok(Catalog { entries, files: Files::one(source) })
}

/// The tensors by name, whose storages are where `place` says.
fn entries_of(
    source: &Source<'_>,
    made: &Made,
    named: Vec<(String, Value)>,
    mut place: impl FnMut(&str, &Storage) -> Result<Place, WeightsProblem>,
) -> Result<Vec<Entry>, Error> {
    if named.len() > MOST_TENSORS {
        let found = format!("a dict of {} items, more than {MOST_TENSORS}", named.len());
        return Err(source.problem(WeightsProblem::NoTensors { found, has: Vec::new() }));
    }
    let entry = |(name, value): (String, Value)| {
        let value = match made.object(value) {
            Some(Object::Tensor(rebuild, arguments)) => {
                storage::tensor(made, &name, *rebuild, *arguments, |storage| place(&name, storage))?
            }
            _ => catalog::Value::Other(made.describe(value)),
        };
        Ok(Entry { name, file: 0, value })
    };
    named.into_iter().map(entry).collect::<Result<_, _>>().map_err(|problem| source.problem(problem))
}

fn big_endian() -> WeightsProblem {
    let what = "its numbers are big-endian; load it with PyTorch on a usual machine and save it again".to_owned();
    WeightsProblem::Unsupported(what)
}

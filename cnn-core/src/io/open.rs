//! Which kind of file it is, by its first bytes and never by its name.

use super::catalog::{Catalog, Entry, Files};
use super::loading::Loading;
use super::source::Source;
use super::{header, sharded};
use crate::Error;
use crate::error::WeightsProblem;

/// Where the mark of a tar archive ends.
pub(super) const TAR: u64 = 262;

/// What a file of weights of any kind has.
pub(super) fn open<'a>(source: Source<'a>, loading: &Loading<'_>) -> Result<Catalog<'a>, Error> {
    let start = source.read(0, source.len.min(TAR), None)?;
    let kind = Kind::of(&start);
    if matches!(kind, Some(Kind::Index)) && !loading.keys().is_empty() {
        let what = "shards are under no keys: leave out `under`, or `strip_prefix`".to_owned();
        return Err(source.problem(WeightsProblem::Unsupported(what)));
    }
    match kind {
        Some(Kind::Safetensors) => under(safetensors(source)?, loading.keys()),
        Some(Kind::Index) => sharded::open(source),
        Some(Kind::Torch) => torch(source, loading.keys()),
        None => Err(source.problem(WeightsProblem::Unknown(what_else(&start)))),
    }
}

/// What a safetensors file has.
pub(super) fn safetensors(source: Source<'_>) -> Result<Catalog<'_>, Error> {
    Ok(Catalog { entries: header::entries_of(&source, 0)?, files: Files::one(source) })
}

/// What has names within a module, such as the network of a snapshot, by its names in there. What snapshots note beside
/// tensors is none of it.
fn under<'a>(catalog: Catalog<'a>, keys: &[String]) -> Result<Catalog<'a>, Error> {
    if keys.is_empty() {
        return Ok(catalog);
    }
    let module = keys.join(".") + ".";
    let Catalog { entries, files } = catalog;
    let mut within = Vec::new();
    for entry in entries {
        if let Some(name) = entry.name.strip_prefix(&module).filter(|name| !name.starts_with('@')) {
            within.push(Entry { name: name.to_owned(), ..entry });
        }
    }
    if within.is_empty() {
        let what = format!("a file in which no name begins with `{module}`; leave out `under`");
        return Err(files.problems(vec![WeightsProblem::Unsupported(what)]));
    }
    Ok(Catalog { entries: within, files })
}

#[cfg(feature = "pth")]
use super::pth::open as torch;

#[cfg(not(feature = "pth"))]
fn torch<'a>(source: Source<'a>, _: &[String]) -> Result<Catalog<'a>, Error> {
    let what = "a file of torch.save, which cnn-core reads with its feature `pth`".to_owned();
    Err(source.problem(WeightsProblem::Unsupported(what)))
}

enum Kind {
    Safetensors,
    /// Of shards.
    Index,
    /// An archive or a pickle.
    Torch,
}

impl Kind {
    fn of(start: &[u8]) -> Option<Self> {
        match start {
            _ if sharded::begins(start) => Some(Self::Index),
            // The lengths of some headers begin as an archive does, so this comes before.
            [_, _, _, _, _, _, _, _, b'{', ..] => Some(Self::Safetensors),
            [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => Some(Self::Torch),
            _ => None,
        }
    }
}

/// What a file is that is none of ours, by its first bytes.
pub(super) fn what_else(start: &[u8]) -> String {
    let what = match start {
        [] => "it is empty",
        [0x1f, 0x8b, ..] => "it is packed with gzip; unpack it first",
        _ if start.starts_with(b"version https://git-lfs") => {
            "it is a pointer of Git LFS; get the file with git lfs pull"
        }
        _ if start.ends_with(b"ustar") && start.len() as u64 == TAR => {
            "it is a tar archive, as PyTorch wrote before 0.1.10; load it there and save it again"
        }
        _ if start.starts_with(b"\x89HDF") => "it is an HDF5 file, as Keras writes",
        _ if start.trim_ascii_start().starts_with(b"<") => "it is a page of the web; was it the download?",
        short if short.len() < 9 => return format!("it has {} bytes", short.len()),
        _ => "no header begins at byte 8",
    };
    what.to_owned()
}

//! A safetensors file, written piece by piece.

use std::io::{self, Write};
use std::path::Path;

use super::number::Dtype;
use super::replace::replace_file;
use crate::Error;

/// What makes values, when they are written.
pub(super) type Bytes<'a> = Box<dyn Fn() -> Vec<u8> + 'a>;

/// What a file has by one name: its values are asked for when they are written.
pub(super) struct Piece<'a> {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) sizes: Vec<usize>,
    pub(super) bytes: Bytes<'a>,
}

/// Writes a file that changes as a whole.
pub(super) fn write(path: &Path, mut pieces: Vec<Piece<'_>>) -> Result<(), Error> {
    // As the crate `safetensors` orders them: wide numbers first, so that all are aligned; then by name.
    pieces.sort_by(|left, right| right.dtype.bits().cmp(&left.dtype.bits()).then_with(|| left.name.cmp(&right.name)));
    let header = header(&pieces);
    let write = |file: &mut dyn Write| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        pieces.iter().try_for_each(|piece| file.write_all(&(piece.bytes)()))
    };
    replace_file(path, write).map_err(|error| Error::Io { path: path.to_owned(), error: told(error) })
}

/// What the system says, with what it means where that is little known.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            io::Error::new(error.kind(), format!("{error}; an earlier file of this name is as it was"))
        }
        _ => error,
    }
}

/// The JSON in front of them, with spaces behind it that align what follows.
fn header(pieces: &[Piece<'_>]) -> String {
    let mut header = String::from("{");
    let mut begin = 0;
    for (index, Piece { name, dtype, sizes, .. }) in pieces.iter().enumerate() {
        let end = begin + dtype.bytes(sizes).expect("it is in memory");
        let comma = if index == 0 { "" } else { "," };
        let sizes = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        header += &format!(
            r#"{comma}{}:{{"dtype":"{}","shape":[{sizes}],"data_offsets":[{begin},{end}]}}"#,
            serde_json::Value::from(&**name),
            dtype.name()
        );
        begin = end;
    }
    header.push('}');
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    header
}

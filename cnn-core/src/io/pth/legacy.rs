//! Files of `torch.save` before version 1.6, and of `_use_new_zipfile_serialization=False`: a pickle each of a magic number,
//! a version, the machine, the values and the keys of the storages, and behind them for each key its number of values (i64)
//! and its bytes. <https://github.com/pytorch/pytorch/blob/main/torch/serialization.py>, `_legacy_save`

use std::collections::HashMap;

use super::pickle::{self, Made, Storage, Value};
use super::storage::{Place, bytes_each};
use super::stream::Stream;
use super::{entries_of, state_dict};
use crate::Error;
use crate::error::WeightsProblem;
use crate::io::catalog::Entry;
use crate::io::source::Source;

/// 0x1950a86a20f9469cfc6c, as a pickle writes it.
const MAGIC: [u8; 12] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: Value = Value::Int(1001);

pub(super) fn entries(source: &Source<'_>, keys: &[String]) -> Result<Vec<Entry>, Error> {
    let start = source.read(0, source.len.min(32), None)?;
    // Behind the protocol, or since protocol 4 a frame.
    if !start.windows(MAGIC.len()).take(12).any(|window| window == MAGIC) {
        let what = "it is a pickle, but none of torch.save; save it with that".to_owned();
        return Err(source.problem(WeightsProblem::Unknown(what)));
    }
    let mut stream = Stream::new(source, 0, source.len);
    pickle::run(&mut stream)?;
    if pickle::run(&mut stream)?.root != VERSION {
        return Err(
            source.problem(WeightsProblem::Unsupported("not of version 1001 of torch.save's format".to_owned()))
        );
    }
    let machine = pickle::run(&mut stream)?;
    let is_big = |(key, value)| machine.text(key) == Some("little_endian") && value != Value::Bool(true);
    if machine.pairs(machine.root).is_some_and(|mut pairs| pairs.any(is_big)) {
        return Err(source.problem(super::big_endian()));
    }
    let made = pickle::run(&mut stream)?;
    let named = state_dict::find(&made, keys).map_err(|problem| source.problem(problem))?;
    let list = pickle::run(&mut stream)?;
    let places = places(source, &mut stream, &made, &list)?;
    entries_of(source, &made, named, |name, storage| match places.get(storage.place).copied().flatten() {
        Some(place) if place.begin + place.bytes > source.len => Err(WeightsProblem::Truncated {
            name: Some(name.to_owned()),
            expected: place.begin + place.bytes,
            found: source.len,
        }),
        Some(place) => Ok(place),
        None => Err(missing(name, &made, storage)),
    })
}

fn missing(name: &str, made: &Made, storage: &Storage) -> WeightsProblem {
    let expected = format!("its values, in the storage {}", made.storages[storage.place].0);
    WeightsProblem::Entry { name: name.to_owned(), expected, found: "no such storage".to_owned() }
}

/// Where the storages are, which lie in the order of a list of their keys. From one on they may be beyond the end of the file.
fn places(source: &Source<'_>, stream: &mut Stream<'_>, made: &Made, list: &Made) -> Result<Vec<Option<Place>>, Error> {
    let known: HashMap<&str, usize> =
        made.storages.iter().enumerate().map(|(place, (key, _))| (key.as_str(), place)).collect();
    let mut places = vec![None; made.storages.len()];
    let mut cut = None;
    let Some(keys) = list.elements(list.root) else {
        return Err(stream.problem("expected a list of the storages' keys"));
    };
    for key in keys {
        let Some(&storage) = list.text(*key).and_then(|key| known.get(key)) else {
            return Err(stream.problem("it lists a storage that no tensor has"));
        };
        let place = match cut {
            // Further behind the end, wherever it would be.
            Some(end) => Place { begin: end, bytes: 0 },
            None if stream.at + 8 > source.len => Place { begin: stream.at + 8, bytes: 0 },
            None => {
                let values = u64::from_le_bytes(stream.array()?);
                let each = bytes_each(made.storages[storage].1);
                match values.checked_mul(each).filter(|bytes| stream.at.checked_add(*bytes).is_some()) {
                    Some(bytes) => Place { begin: stream.at, bytes },
                    None => return Err(stream.problem(&format!("no file has a storage of {values} values"))),
                }
            }
        };
        let end = place.begin + place.bytes;
        if end > source.len {
            cut = Some(end);
        } else {
            stream.skip(place.bytes)?;
        }
        if places[storage].replace(place).is_some() {
            return Err(stream.problem("it lists a storage twice"));
        }
    }
    Ok(places)
}

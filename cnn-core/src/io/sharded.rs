//! Weights in several safetensors files, and the index that says which tensor is in which:
//! `{"metadata": .., "weight_map": {"conv1.weight": "model-00001-of-00002.safetensors", ..}}`.
//! <https://huggingface.co/docs/transformers/main/en/big_models#sharded-checkpoints>

use std::collections::HashMap;
use std::collections::hash_map;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde_core::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::catalog::{Catalog, Files};
use super::header::{self, Text};
use super::source::Source;
use crate::Error;
use crate::error::WeightsProblem;

/// Much more than an index of all tensors that a file may have.
const LONGEST: u64 = 100_000_000;

/// Whether a file that begins so is JSON, not the length of a safetensors file's header: that has zeros above 100 MB.
pub(super) fn begins(start: &[u8]) -> bool {
    let is_text = start.len() < 8 || start[4..8] != [0; 4];
    is_text && start.trim_ascii_start().first() == Some(&b'{')
}

/// Reads an index and the headers of all its shards, and checks that they say the same.
pub(super) fn open(source: Source<'_>) -> Result<Catalog<'_>, Error> {
    let broken = |what: String| source.problem(WeightsProblem::Index(what));
    let Some(index) = source.path() else {
        return Err(broken("its shards are files; load it by its path".to_owned()));
    };
    if source.len > LONGEST {
        return Err(broken(format!("expected {LONGEST} bytes at most, found {}", source.len)));
    }
    let text = String::from_utf8(source.read(0, source.len, None)?).map_err(|error| broken(error.to_string()))?;
    let mut reading = Reading::default();
    let mut json = serde_json::Deserializer::from_str(&text);
    let read = (&mut reading).deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| broken(error.to_string()))?;
    let Reading { shards, mut tensors } = reading;

    let folder = index.parent().unwrap_or(Path::new(""));
    let shards: Vec<(String, PathBuf)> = shards.into_iter().map(|name| (name.clone(), folder.join(name))).collect();
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for (file, (shard, path)) in shards.iter().enumerate() {
        for entry in header::entries_of(&Source::open(path)?, file)? {
            let wrong = |expected: String, found: &str| WeightsProblem::Shard {
                shard: shard.clone(),
                problem: Box::new(WeightsProblem::Entry {
                    name: entry.name.clone(),
                    expected,
                    found: found.to_owned(),
                }),
            };
            match tensors.get_mut(&entry.name) {
                Some((of, is_there)) if *of == file => {
                    *is_there = true;
                    entries.push(entry);
                }
                Some((of, _)) => problems.push(wrong(format!("it in {} alone", shards[*of].0), "it here, too")),
                None => problems.push(wrong("a name of the index".to_owned(), "one that it lacks")),
            }
        }
    }
    let mut absent: Vec<_> = tensors.into_iter().filter(|(_, (_, is_there))| !is_there).collect();
    absent.sort_unstable();
    problems.extend(absent.into_iter().map(|(name, (file, _))| WeightsProblem::Shard {
        shard: shards[file].0.clone(),
        problem: Box::new(WeightsProblem::Entry {
            name,
            expected: "it here, as the index says".to_owned(),
            found: "none of this name".to_owned(),
        }),
    }));
    if problems.is_empty() {
        Ok(Catalog { entries, files: Files::several(source, shards) })
    } else {
        Err(source.problems(problems))
    }
}

/// What the index says.
#[derive(Default)]
struct Reading {
    /// In the order in which they are named first.
    shards: Vec<String>,
    /// Of each tensor its shard, and whether it was found there.
    tensors: HashMap<String, (usize, bool)>,
}

impl<'h> DeserializeSeed<'h> for &mut Reading {
    type Value = ();

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'h> Visitor<'h> for &mut Reading {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with a weight_map")
    }

    fn visit_map<A: MapAccess<'h>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(field) = map.next_key_seed(Text("the name of a field"))? {
            if field != "weight_map" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if is_there {
                return Err(A::Error::custom("expected one weight_map, found two"));
            }
            is_there = true;
            map.next_value_seed(WeightMap(self))?;
        }
        if is_there { Ok(()) } else { Err(A::Error::custom("expected a weight_map, found none")) }
    }
}

struct WeightMap<'r>(&'r mut Reading);

impl<'h> DeserializeSeed<'h> for WeightMap<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'h> Visitor<'h> for WeightMap<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("names of files by names of tensors as its weight_map")
    }

    fn visit_map<A: MapAccess<'h>>(self, mut map: A) -> Result<(), A::Error> {
        let Reading { shards, tensors } = self.0;
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some(name) = map.next_key_seed(Text("the name of a tensor"))? {
            let shard = map.next_value_seed(Text("the name of a file"))?;
            let is_beside = |part: Component<'_>| matches!(part, Component::Normal(_));
            if shard.is_empty() || !Path::new(&*shard).components().all(is_beside) {
                return Err(A::Error::custom(format!("expected a file beside the index, found {shard:?}")));
            }
            let place = match places.get(&*shard) {
                Some(place) => *place,
                None => {
                    shards.push(shard.clone().into_owned());
                    places.insert(shard.into_owned(), shards.len() - 1);
                    shards.len() - 1
                }
            };
            match tensors.entry(name.into_owned()) {
                hash_map::Entry::Vacant(vacant) => vacant.insert((place, false)),
                hash_map::Entry::Occupied(of) => {
                    return Err(A::Error::custom(format!("expected tensor {} once, found it twice", of.key())));
                }
            };
        }
        Ok(())
    }
}

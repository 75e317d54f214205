//! The header of a safetensors file: eight bytes of length, then JSON that names every tensor's type, sizes and bytes, which
//! follow without gaps. <https://github.com/huggingface/safetensors#format>
//!
//! The JSON is read by `serde_json`, into nothing but entries. The crate `safetensors` would do both, but does not say which
//! tensor is wrong; the tests compare the two.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::catalog::{self, Tensor, Value};
use super::number::Dtype;
use super::open::{self, TAR};
use super::source::Source;
use crate::Error;
use crate::error::WeightsProblem;

/// Bytes of the length.
const LENGTH: u64 = 8;
/// What the format allows; it bounds the work on a file that is not trusted.
const LONGEST: u64 = 100_000_000;
/// No file has nearly as many tensors, but one that is made to take long, or much memory.
const MOST_TENSORS: usize = 1 << 18;
/// As many sizes has no tensor of PyTorch's or numpy's.
const MOST_SIZES: usize = 64;

/// What a safetensors file has, which is this one of several.
pub(super) fn entries_of(source: &Source<'_>, file: usize) -> Result<Vec<catalog::Entry>, Error> {
    let text = text(source)?;
    let Header { entries, start } = parse(&text, source.len).map_err(|problem| source.problem(problem))?;
    let entry = |Entry { name, dtype, sizes, begin, .. }: Entry<'_>| {
        let tensor = Tensor { dtype, sizes, begin: start + begin, strides: None };
        catalog::Entry { name: name.into_owned(), file, value: Value::Tensor(tensor) }
    };
    Ok(entries.into_iter().map(entry).collect())
}

/// The JSON of a file's header.
fn text(source: &Source<'_>) -> Result<String, Error> {
    let start = source.read(0, source.len.min(LENGTH + 1), None)?;
    let Some((length, [b'{'])) = start.split_first_chunk() else {
        return Err(source.problem(WeightsProblem::Format(what_else(source)?)));
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST {
        let what = format!("it has {length} bytes, more than the {LONGEST} of the format");
        return Err(source.problem(WeightsProblem::Header(what)));
    }
    if length > source.len - LENGTH {
        let (expected, found) = (LENGTH + length, source.len);
        return Err(source.problem(WeightsProblem::Truncated { name: None, expected, found }));
    }
    let bytes = source.read(LENGTH, length, None)?;
    String::from_utf8(bytes).map_err(|error| {
        let place = LENGTH as usize + error.utf8_error().valid_up_to();
        source.problem(WeightsProblem::Header(format!("expected UTF-8, found other bytes from byte {place} on")))
    })
}

/// What a file is that is no safetensors file.
fn what_else(source: &Source<'_>) -> Result<String, Error> {
    let start = source.read(0, source.len.min(TAR), None)?;
    Ok(match &*start {
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => "it looks like one of torch.save, which `load` reads".to_owned(),
        _ => open::what_else(&start),
    })
}

/// What a header says.
struct Header<'a> {
    entries: Vec<Entry<'a>>,
    /// Where the first tensor's bytes are in the file.
    start: u64,
}

/// What a header says of a tensor.
#[derive(Debug)]
struct Entry<'a> {
    name: Cow<'a, str>,
    dtype: Dtype,
    sizes: Vec<usize>,
    /// The first byte, counted from the end of the header.
    begin: u64,
    /// The byte behind the last.
    end: u64,
}

/// Reads the header of a file of so many bytes, and checks that its tensors fill the file without gaps or overlaps.
fn parse(text: &str, file_len: u64) -> Result<Header<'_>, WeightsProblem> {
    let entries = entries(text)?;
    let mut order: Vec<&Entry<'_>> = entries.iter().collect();
    order.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    if let Some(pair) = order.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(pair[0].wrong("one tensor of this name", "two"));
    }
    let start = LENGTH + text.len() as u64;
    fill(&entries, start, file_len)?;
    Ok(Header { entries, start })
}

fn entries(text: &str) -> Result<Vec<Entry<'_>>, WeightsProblem> {
    let mut reading = Reading { entries: Vec::new(), name: None };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = reading.deserialize(&mut json).and_then(|()| json.end());
    match (read, reading.name) {
        (Ok(()), _) => {}
        (Err(error), Some(name)) => {
            return Err(WeightsProblem::Field { name: name.into_owned(), what: error.to_string() });
        }
        (Err(error), None) => return Err(WeightsProblem::Header(error.to_string())),
    }
    reading.entries.iter().try_for_each(Entry::check)?;
    Ok(reading.entries)
}

/// Entries as they are read, and the name of the one that is just read.
struct Reading<'h> {
    entries: Vec<Entry<'h>>,
    name: Option<Cow<'h, str>>,
}

impl<'h> DeserializeSeed<'h> for &mut Reading<'h> {
    type Value = ();

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'h> Visitor<'h> for &mut Reading<'h> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of tensors by their names")
    }

    fn visit_map<A: MapAccess<'h>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text("the name of a tensor"))? {
            if name == "__metadata__" {
                map.next_value_seed(Metadata)?;
                continue;
            }
            if self.entries.len() == MOST_TENSORS {
                return Err(A::Error::custom(format!("it names more than {MOST_TENSORS} tensors")));
            }
            self.name = Some(name.clone());
            let (dtype, sizes, [begin, end]) = map.next_value_seed(Fields)?;
            self.name = None;
            self.entries.push(Entry { name, dtype, sizes, begin, end });
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escapes, or what was expected.
pub(super) struct Text(pub(super) &'static str);

impl<'h> DeserializeSeed<'h> for Text {
    type Value = Cow<'h, str>;

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'h> Visitor<'h> for Text {
    type Value = Cow<'h, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_borrowed_str<E>(self, text: &'h str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Notes of the file's writer, strings by name, which say nothing of the tensors.
struct Metadata;

impl<'h> DeserializeSeed<'h> for Metadata {
    type Value = ();

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'h> Visitor<'h> for Metadata {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("strings by name as __metadata__")
    }

    fn visit_map<A: MapAccess<'h>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Text("a name in __metadata__"))?.is_some() {
            map.next_value_seed(Text("a string in __metadata__"))?;
        }
        Ok(())
    }
}

/// What stands behind a tensor's name.
struct Fields;

impl<'h> DeserializeSeed<'h> for Fields {
    type Value = (Dtype, Vec<usize>, [u64; 2]);

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'h> Visitor<'h> for Fields {
    type Value = (Dtype, Vec<usize>, [u64; 2]);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'h>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut dtype, mut sizes, mut offsets) = (None, None, None);
        while let Some(field) = map.next_key_seed(Text("the name of a field"))? {
            let is_new = match &*field {
                "dtype" => {
                    let name = map.next_value_seed(Text("a type such as \"F32\" as its dtype"))?;
                    let unknown = || A::Error::custom(format!("expected a type of safetensors, found {name:?}"));
                    dtype.replace(Dtype::named(&name).ok_or_else(unknown)?).is_none()
                }
                "shape" => {
                    let list = map.next_value_seed(Numbers("whole numbers as its shape", MOST_SIZES))?;
                    let too_large =
                        |_| A::Error::custom("expected sizes that memory can have in its shape, found more");
                    let list: Result<Vec<usize>, _> = list.into_iter().map(usize::try_from).collect();
                    sizes.replace(list.map_err(too_large)?).is_none()
                }
                "data_offsets" => {
                    let list = map.next_value_seed(Numbers("two whole numbers as its data_offsets", 2))?;
                    let few =
                        |list: Vec<_>| A::Error::custom(format!("expected two data_offsets, found {}", list.len()));
                    offsets.replace(list.try_into().map_err(few)?).is_none()
                }
                other => {
                    return Err(A::Error::custom(format!("expected dtype, shape and data_offsets, found {other:?}")));
                }
            };
            if !is_new {
                return Err(A::Error::custom(format!("expected each of its fields once, found {field} twice")));
            }
        }
        let lacks = |what| move || A::Error::custom(format!("expected {what}, found none"));
        Ok((
            dtype.ok_or_else(lacks("a dtype"))?,
            sizes.ok_or_else(lacks("a shape"))?,
            offsets.ok_or_else(lacks("data_offsets"))?,
        ))
    }
}

/// Whole numbers, at most so many, or what was expected.
struct Numbers(&'static str, usize);

impl<'h> DeserializeSeed<'h> for Numbers {
    type Value = Vec<u64>;

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<Vec<u64>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'h> Visitor<'h> for Numbers {
    type Value = Vec<u64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_seq<A: SeqAccess<'h>>(self, mut list: A) -> Result<Vec<u64>, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = list.next_element_seed(Whole)? {
            if numbers.len() == self.1 {
                return Err(A::Error::custom(format!("expected {}, found more than {}", self.0, self.1)));
            }
            numbers.push(number);
        }
        Ok(numbers)
    }
}

struct Whole;

impl<'h> DeserializeSeed<'h> for Whole {
    type Value = u64;

    fn deserialize<D: Deserializer<'h>>(self, json: D) -> Result<u64, D::Error> {
        json.deserialize_u64(self)
    }
}

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number from 0 to {}", u64::MAX)
    }

    fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }
}

impl Entry<'_> {
    /// Whether its offsets hold its values.
    fn check(&self) -> Result<(), WeightsProblem> {
        let Self { dtype, sizes, begin, end, .. } = self;
        let Some(bytes) = dtype.bytes(sizes) else {
            let found = format!("{} {sizes:?}", dtype.name());
            return Err(self.wrong("whole bytes, as many as can be counted", &found));
        };
        if begin.checked_add(bytes) == Some(*end) {
            return Ok(());
        }
        let found = match end.checked_sub(*begin) {
            Some(held) => format!("data_offsets [{begin}, {end}], which hold {held}"),
            None => format!("data_offsets [{begin}, {end}], which end before they begin"),
        };
        Err(self.wrong(&format!("{bytes} bytes of {} {sizes:?}", dtype.name()), &found))
    }

    fn wrong(&self, expected: &str, found: &str) -> WeightsProblem {
        WeightsProblem::Entry {
            name: self.name.clone().into_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// Whether the tensors, from `start` on, fill a file of so many bytes.
fn fill(entries: &[Entry<'_>], start: u64, file_len: u64) -> Result<(), WeightsProblem> {
    let mut order: Vec<&Entry<'_>> = entries.iter().collect();
    order.sort_unstable_by_key(|entry| (entry.begin, entry.end));
    let mut end = 0;
    for entry in &order {
        if entry.begin != end {
            let what = if entry.begin < end { "which overlap another tensor" } else { "behind bytes of no tensor" };
            let found = format!("data_offsets [{}, {}], {what}", entry.begin, entry.end);
            return Err(entry.wrong(&format!("bytes from {end} on"), &found));
        }
        end = entry.end;
    }
    let Some(expected) = start.checked_add(end) else {
        let last = order.last().expect("no end without a tensor");
        return Err(last.wrong("bytes that a file can have", &format!("data_offsets [{}, {}]", last.begin, last.end)));
    };
    if let Some(cut) = order.iter().find(|entry| start + entry.end > file_len) {
        let name = Some(cut.name.clone().into_owned());
        return Err(WeightsProblem::Truncated { name, expected, found: file_len });
    }
    if file_len > expected {
        return Err(WeightsProblem::Longer { expected, found: file_len });
    }
    Ok(())
}

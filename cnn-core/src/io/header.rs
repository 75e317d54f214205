//! The header of a safetensors file: eight bytes of length, then JSON that names every tensor's type, sizes and bytes, which
//! follow without gaps. <https://github.com/huggingface/safetensors#format>
//!
//! It is read here, and not by the crate `safetensors`, because that one does not say which tensor is wrong, and because
//! without it and `serde` a program has 12 packages less to build. The tests compare the two.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map;

use super::json::{Mistake, Scanner};
use super::number::Dtype;
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

/// The JSON of a file's header.
pub(super) fn text(source: &mut Source<'_>) -> Result<String, Error> {
    let start = source.read(0, source.len.min(64), None)?;
    let Some((length, [b'{', ..])) = start.split_first_chunk() else {
        return Err(source.problem(WeightsProblem::Format(what_else(&start))));
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

/// What a file is that is none of ours, by its first bytes.
fn what_else(start: &[u8]) -> String {
    // Most are PyTorch's own: an archive or, before version 1.6, a pickle.
    const TORCH: &str =
        "it looks like one of torch.save; write it with safetensors.torch.save_file(model.state_dict(), ..)";
    match start {
        [] => "it is empty".to_owned(),
        [b'P', b'K', 3, 4, ..] | [0x80, 2, 0x8a, 10, ..] => TORCH.to_owned(),
        [0x1f, 0x8b, ..] => "it is packed with gzip; unpack it first".to_owned(),
        _ if start.starts_with(b"version https://git-lfs") => {
            "it is a pointer of Git LFS; get the file with git lfs pull".to_owned()
        }
        short if short.len() < 9 => format!("it has {} bytes", short.len()),
        _ => "no header begins at byte 8".to_owned(),
    }
}

/// What a header says.
pub(super) struct Header<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Which entry is the tensor of a name.
    index: HashMap<Cow<'a, str>, usize>,
    /// Where the first tensor's bytes are in the file.
    pub(super) start: u64,
}

/// What a header says of a tensor.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) dtype: Dtype,
    pub(super) sizes: Vec<usize>,
    /// The first byte, counted from the end of the header.
    pub(super) begin: u64,
    /// The byte behind the last.
    pub(super) end: u64,
}

/// Reads the header of a file of so many bytes, and checks that its tensors fill the file without gaps or overlaps.
pub(super) fn parse(text: &str, file_len: u64) -> Result<Header<'_>, WeightsProblem> {
    let entries = entries(text)?;
    let mut index = HashMap::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        match index.entry(entry.name.clone()) {
            hash_map::Entry::Vacant(vacant) => vacant.insert(place),
            hash_map::Entry::Occupied(_) => return Err(entry.wrong("one tensor of this name", "two")),
        };
    }
    let start = LENGTH + text.len() as u64;
    fill(&entries, start, file_len)?;
    Ok(Header { entries, index, start })
}

impl Header<'_> {
    /// Which entry is the tensor of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }
}

fn entries(text: &str) -> Result<Vec<Entry<'_>>, WeightsProblem> {
    let mut scanner = Scanner::new(text, LENGTH as usize);
    let mut entries = Vec::new();
    scanner.list([b'{', b'}'], "`{`", |scanner| {
        let name = scanner.string("the name of a tensor")?;
        scanner.expect(b':', "`:`")?;
        if name == "__metadata__" {
            return metadata(scanner);
        }
        if entries.len() == MOST_TENSORS {
            return Err(WeightsProblem::Header(format!("it names more than {MOST_TENSORS} tensors")));
        }
        match fields(scanner) {
            Ok((dtype, sizes, [begin, end])) => entries.push(Entry { name, dtype, sizes, begin, end }),
            Err(Mistake { expected, found }) => {
                return Err(WeightsProblem::Entry { name: name.into_owned(), expected: expected.to_owned(), found });
            }
        }
        entries.last().map_or(Ok(()), Entry::check)
    })?;
    scanner.expect_end()?;
    Ok(entries)
}

/// Notes of the file's writer, which say nothing of the tensors.
fn metadata(scanner: &mut Scanner<'_>) -> Result<(), WeightsProblem> {
    scanner.list([b'{', b'}'], "`{` of __metadata__", |scanner| {
        scanner.string("a name in __metadata__")?;
        scanner.expect(b':', "`:`")?;
        scanner.string("a string in __metadata__")?;
        Ok(())
    })
}

fn fields(scanner: &mut Scanner<'_>) -> Result<(Dtype, Vec<usize>, [u64; 2]), Mistake> {
    let (mut dtype, mut sizes, mut offsets) = (None, None, None);
    let once = |is_new: bool| if is_new { Ok(()) } else { mistake("each of its fields once", "one twice") };
    scanner.list([b'{', b'}'], "`{`", |scanner| {
        let field = scanner.string("the name of a field")?;
        scanner.expect(b':', "`:`")?;
        match &*field {
            "dtype" => {
                let name = scanner.string("a type such as \"F32\" as its dtype")?;
                let Some(known) = Dtype::named(&name) else { return mistake("a type of safetensors", &name) };
                once(dtype.replace(known).is_none())
            }
            "shape" => {
                let mut list = Vec::new();
                scanner.list([b'[', b']'], "`[` of its shape", |scanner| {
                    let size = scanner.whole_number("a whole number in its shape")?;
                    let Ok(size) = size.try_into() else { return mistake("a size that memory can have", "more") };
                    if list.len() == MOST_SIZES {
                        return mistake("at most 64 sizes", "more");
                    }
                    list.push(size);
                    Ok(())
                })?;
                once(sizes.replace(list).is_none())
            }
            "data_offsets" => {
                scanner.expect(b'[', "`[` of its data_offsets")?;
                let begin = scanner.whole_number("a whole number in its data_offsets")?;
                scanner.expect(b',', "two data_offsets")?;
                let end = scanner.whole_number("a whole number in its data_offsets")?;
                scanner.expect(b']', "two data_offsets")?;
                once(offsets.replace([begin, end]).is_none())
            }
            other => mistake("dtype, shape and data_offsets", other),
        }
    })?;
    match (dtype, sizes, offsets) {
        (Some(dtype), Some(sizes), Some(offsets)) => Ok((dtype, sizes, offsets)),
        (None, ..) => mistake("a dtype", "none"),
        (_, None, _) => mistake("a shape", "none"),
        (_, _, None) => mistake("data_offsets", "none"),
    }
}

fn mistake<T>(expected: &'static str, found: &str) -> Result<T, Mistake> {
    Err(Mistake { expected, found: found.chars().take(24).flat_map(char::escape_debug).collect() })
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

impl From<Mistake> for WeightsProblem {
    fn from(Mistake { expected, found }: Mistake) -> Self {
        Self::Header(format!("expected {expected}, found {found}"))
    }
}

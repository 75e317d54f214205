//! The header of a safetensors file: eight bytes of length, then JSON that names every tensor's type, sizes and bytes, which
//! follow without gaps. <https://github.com/huggingface/safetensors#format>
//!
//! It is read here, and not by the crate `safetensors`, because that one does not say which tensor is wrong, and because
//! without it and `serde` a program has 12 packages less to build. The tests compare the two.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::json::{Mistake, Scanner};
use super::number::Dtype;
use super::source::Source;
use crate::Error;
use crate::error::WeightsProblem;

/// Bytes of the length.
const LENGTH: u64 = 8;
/// What the format allows; it bounds the work on a file that is not trusted.
const LONGEST: u64 = 100_000_000;
/// As many sizes has no tensor of PyTorch's or numpy's.
const MOST_SIZES: usize = 64;

/// The JSON of a file's header.
pub(super) fn text(source: &mut Source<'_>) -> Result<String, Error> {
    let start = source.read(0, source.len.min(64), None)?;
    let not_one = |what: String| WeightsProblem::Format(what);
    if let Some(what) = what_else(&start) {
        return Err(source.problem(not_one(what.to_owned())));
    }
    let [length @ .., b'{'] = start.get(..9).unwrap_or(&start) else {
        let what = match start.len() {
            0 => "it is empty".to_owned(),
            found @ ..9 => format!("it has {found} bytes"),
            _ => "no header begins at byte 8".to_owned(),
        };
        return Err(source.problem(not_one(what)));
    };
    let Ok(length) = length.try_into().map(u64::from_le_bytes) else {
        return Err(source.problem(not_one(format!("it has {} bytes", start.len()))));
    };
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

/// What a file is that is none of ours, if that can be seen.
fn what_else(start: &[u8]) -> Option<&'static str> {
    // Most are PyTorch's own: an archive or, before version 1.6, a pickle.
    const TORCH: &str =
        "it looks like one of torch.save; write it with safetensors.torch.save_file(model.state_dict(), ..)";
    match start {
        [b'P', b'K', 3, 4, ..] | [0x80, 2, 0x8a, 10, ..] => Some(TORCH),
        [0x1f, 0x8b, ..] => Some("it is packed with gzip; unpack it first"),
        _ if start.starts_with(b"version https://git-lfs") => {
            Some("it is a pointer of Git LFS; get the file with git lfs pull")
        }
        _ => None,
    }
}

/// What a header says.
pub(super) struct Header<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    names: Index,
    /// Where the first tensor's bytes are in the file.
    pub(super) start: u64,
}

/// What a header says of a tensor.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) dtype: Dtype,
    pub(super) sizes: Box<[usize]>,
    /// The first byte, counted from the end of the header.
    pub(super) begin: u64,
    /// The byte behind the last.
    pub(super) end: u64,
}

/// Reads the header of a file of so many bytes, and checks that its tensors fill the file without gaps or overlaps.
pub(super) fn parse(text: &str, file_len: u64) -> Result<Header<'_>, WeightsProblem> {
    let entries = entries(text)?;
    let names = Index::of(&entries)?;
    let start = LENGTH + text.len() as u64;
    fill(&entries, start, file_len)?;
    Ok(Header { entries, names, start })
}

impl Header<'_> {
    /// Which entry is the tensor of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.find(&self.entries, name)
    }
}

/// Entries by the hashes of their names, sorted: of a million names a fraction of a hash map's memory and time.
struct Index {
    hasher: RandomState,
    hashes: Vec<(u64, usize)>,
}

impl Index {
    fn of(entries: &[Entry<'_>]) -> Result<Self, WeightsProblem> {
        let hasher = RandomState::new();
        let hash = |(place, entry): (usize, &Entry<'_>)| (hasher.hash_one(&*entry.name), place);
        let mut hashes: Vec<_> = entries.iter().enumerate().map(hash).collect();
        hashes.sort_unstable();
        // Of two names with one hash, which is rare, the places are in order; of one name twice any two tell.
        for same in hashes.chunk_by(|left, right| left.0 == right.0).filter(|same| same.len() > 1) {
            let mut names: Vec<&str> = same.iter().map(|(_, place)| &*entries[*place].name).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(entries[same[1].1].wrong("one tensor of this name", "two"));
            }
        }
        Ok(Self { hasher, hashes })
    }

    fn find(&self, entries: &[Entry<'_>], name: &str) -> Option<usize> {
        let hash = self.hasher.hash_one(name);
        let from = self.hashes.partition_point(|(other, _)| *other < hash);
        let same = self.hashes[from..].iter().take_while(|(other, _)| *other == hash);
        same.map(|(_, place)| *place).find(|place| entries[*place].name == name)
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

fn fields(scanner: &mut Scanner<'_>) -> Result<(Dtype, Box<[usize]>, [u64; 2]), Mistake> {
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
                once(sizes.replace(list.into_boxed_slice()).is_none())
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

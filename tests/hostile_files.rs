//! Files that are broken, cut or hostile: each is an error that names what is wrong, soon, and leaves the network as it was.
//!
//! `HOSTILE_MEGABYTES=100 cargo test --release --test hostile_files -- --nocapture` makes the large ones as large as the format
//! allows and prints how long they took.

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cnn_core::io::Loading;
use cnn_core::prelude::*;
use proptest::prelude::*;

network! {
    /// Two tensors: `fc.weight` [2, 3] and `fc.bias` [2].
    pub Net<3> { fc: linear<2> }
}

/// A file of a test's own, which is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{name}-{}", std::process::id()));
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A header and so many bytes behind it.
fn file(header: &str, data: usize) -> Vec<u8> {
    let length = header.len() as u64;
    [&length.to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

const WEIGHT: &str = r#""fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}"#;
const BIAS: &str = r#""fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}"#;

fn whole() -> Vec<u8> {
    file(&format!("{{{WEIGHT},{BIAS}}}"), 32)
}

/// What loading these bytes says, strictly and leniently.
fn refused(bytes: &[u8]) -> String {
    let scratch = Scratch::new("bytes");
    let path = scratch.0.with_extension(format!("{:?}", std::thread::current().id()));
    fs::write(&path, bytes).unwrap();
    let mut net = Net::new(1);
    let strict = net.load_safetensors(&path).unwrap_err().to_string();
    let lenient = net.load_with(&path, &Loading::new().strict(false)).unwrap_err().to_string();
    assert_eq!(net.weights(), Net::new(1).weights());
    // What is no file of weights at all is not of one kind more than of another.
    let kinds =
        ["not a safetensors file", "expected a safetensors file, an index of its shards or a file of torch.save"];
    assert_eq!(strict.replace(kinds[0], kinds[1]), lenient);
    fs::remove_file(&path).unwrap();
    strict.strip_prefix(&format!("{}: ", path.display())).unwrap_or_else(|| panic!("{strict}")).to_owned()
}

#[test]
fn a_file_that_is_whole_is_read_however_its_header_is_written() {
    let scratch = Scratch::new("whole");
    let spaced = format!("{{\n\t{BIAS} , {}\r\n}}   ", WEIGHT.replace(':', " : ").replace(',', " , "));
    let noted = format!(r#"{{"__metadata__":{{"format":"pt","\u00e9\"":"{{}}"}},{WEIGHT},{BIAS}}}"#);
    let escaped = format!(r#"{{{},{BIAS}}}"#, WEIGHT.replace("fc.weight", r"fc\u002eweight"));
    let empty = r#""nothing":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[24,24]}"#;
    for header in [format!("{{{WEIGHT},{BIAS}}}"), spaced, noted, escaped] {
        fs::write(&scratch.0, file(&header, 32)).unwrap();
        Net::new(1).load_safetensors(&scratch.0).unwrap_or_else(|error| panic!("{header}: {error}"));
    }
    // Lengths whose bytes are those that gzip and an archive begin with.
    for length in [0x8b1f, 0x0403_4b50_usize] {
        let header = format!("{{{WEIGHT},{BIAS}}}");
        let padded = header.clone() + &" ".repeat(length - header.len());
        fs::write(&scratch.0, file(&padded, 32)).unwrap();
        Net::new(1).load_safetensors(&scratch.0).unwrap_or_else(|error| panic!("{length:#x}: {error}"));
    }
    fs::write(&scratch.0, file(&format!("{{{WEIGHT},{empty},{BIAS}}}"), 32)).unwrap();
    let report = Net::new(1).load_with(&scratch.0, &Loading::new().strict(false)).unwrap();
    assert_eq!(report.extra().collect::<Vec<_>>(), ["nothing"]);
}

#[test]
fn a_wrong_tensor_is_named_with_what_was_expected_and_found() {
    let weight = |from: &str, to: &str| refused(&file(&format!("{{{},{BIAS}}}", WEIGHT.replace(from, to)), 32));
    for (from, to, text) in [
        ("[0,24]", "[0,20]", "expected 24 bytes of F32 [2, 3], found data_offsets [0, 20], which hold 20"),
        ("[2,3]", "[200,3]", "expected 2400 bytes of F32 [200, 3], found data_offsets [0, 24], which hold 24"),
        ("F32", "F16", "expected 12 bytes of F16 [2, 3], found data_offsets [0, 24], which hold 24"),
        (
            "[0,24]",
            "[24,0]",
            "expected 24 bytes of F32 [2, 3], found data_offsets [24, 0], which end before they begin",
        ),
        (
            "[0,24]",
            "[-4,20]",
            "invalid type: integer `-4`, expected a whole number from 0 to 18446744073709551615 at line 1 column 60",
        ),
        (
            "[0,24]",
            "[0,24.0]",
            "invalid type: floating point `24.0`, expected a whole number from 0 to 18446744073709551615 at line 1 column 64",
        ),
        (
            "[0,24]",
            "[0,99999999999999999999]",
            "invalid type: floating point `1e+20`, expected a whole number from 0 to 18446744073709551615 at line 1 column 80",
        ),
        (
            "[0,24]",
            "[18446744073709551600,18446744073709551615]",
            "expected 24 bytes of F32 [2, 3], found data_offsets [18446744073709551600, 18446744073709551615], which hold 15",
        ),
        ("[0,24]", "[0]", "expected two data_offsets, found 1 at line 1 column 61"),
        ("[0,24]", "[0,24,0]", "expected two whole numbers as its data_offsets, found more than 2 at line 1 column 65"),
        (
            "[0,24]",
            "24",
            "invalid type: integer `24`, expected two whole numbers as its data_offsets at line 1 column 59",
        ),
        (
            "[2,3]",
            "[4294967296,4294967296]",
            "expected whole bytes, as many as can be counted, found F32 [4294967296, 4294967296]",
        ),
        (
            "[2,3]",
            "[-2,3]",
            "invalid type: integer `-2`, expected a whole number from 0 to 18446744073709551615 at line 1 column 39",
        ),
        (
            "[2,3]",
            "[[2],3]",
            "invalid type: sequence, expected a whole number from 0 to 18446744073709551615 at line 1 column 37",
        ),
        (
            "\"F32\"",
            "32",
            "invalid type: integer `32`, expected a type such as \"F32\" as its dtype at line 1 column 24",
        ),
        ("F32", "F33", "expected a type of safetensors, found \"F33\" at line 1 column 27"),
        ("\"dtype\":\"F32\",", "", "expected a dtype, found none at line 1 column 50"),
        (",\"data_offsets\":[0,24]", "", "expected data_offsets, found none at line 1 column 42"),
        ("\"shape\"", "\"shapes\"", "expected dtype, shape and data_offsets, found \"shapes\" at line 1 column 36"),
        (
            "\"shape\":[2,3]",
            "\"dtype\":\"F32\"",
            "expected each of its fields once, found dtype twice at line 1 column 41",
        ),
        ("\"shape\":[2,3]", "\"shape\":[2,3}", "expected `,` or `]` at line 1 column 41"),
    ] {
        assert_eq!(weight(from, to), format!("tensor fc.weight: {text}"), "{to}");
    }
    let many = format!("[{}1]", "1,".repeat(64));
    assert_eq!(
        weight("[2,3]", &many),
        "tensor fc.weight: expected whole numbers as its shape, found more than 64 at line 1 column 167"
    );
    let text = weight("F32", &"F".repeat(1000));
    assert!(text.len() < 250 && text.contains("F..F") && text.ends_with(" at line 1 column 1024"), "{text}");
}

#[test]
fn tensors_fill_the_file_without_gaps_or_overlaps() {
    let bias = |from: &str, to: &str, data| refused(&file(&format!("{{{WEIGHT},{}}}", BIAS.replace(from, to)), data));
    assert_eq!(
        bias("[24,32]", "[20,28]", 28),
        "tensor fc.bias: expected bytes from 24 on, found data_offsets [20, 28], which overlap another tensor"
    );
    assert_eq!(
        bias("[24,32]", "[28,36]", 36),
        "tensor fc.bias: expected bytes from 24 on, found data_offsets [28, 36], behind bytes of no tensor"
    );
    assert_eq!(
        bias("[2],\"data_offsets\":[24,32]", "[1099511627776],\"data_offsets\":[24,4398046511128]", 32),
        "truncated in tensor fc.bias: expected 4398046511285 bytes, found 189; 4398046511096 are missing"
    );
    assert_eq!(bias("fc.bias", "fc.weight", 32), "tensor fc.weight: expected one tensor of this name, found two");
    let longer = [whole(), vec![0; 4]].concat();
    assert_eq!(refused(&longer), format!("expected the end behind {} bytes, found 4 more", whole().len()));
}

#[test]
fn a_cut_file_says_how_many_bytes_are_missing() {
    let whole = whole();
    let (len, header) = (whole.len(), whole.len() - 32);
    for found in 0..len {
        let text = refused(&whole[..found]);
        let expected = match found {
            0 => "not a safetensors file: it is empty".to_owned(),
            1..9 => format!("not a safetensors file: it has {found} bytes"),
            _ if found < header => format!(
                "truncated in its header: expected at least {header} bytes, found {found}; at least {} are missing",
                header - found
            ),
            _ => {
                let name = if found < header + 24 { "fc.weight" } else { "fc.bias" };
                format!("truncated in tensor {name}: expected {len} bytes, found {found}; {} are missing", len - found)
            }
        };
        assert_eq!(text, expected);
    }
}

#[test]
fn a_header_that_is_broken_says_where() {
    let broken = |header: &str| refused(&file(header, 32));
    for (header, text) in [
        ("{", "broken header: EOF while parsing an object at line 1 column 1"),
        (r#"{"fc.bias"}"#, "tensor fc.bias: expected `:` at line 1 column 11"),
        (r#"{"fc.bias":{}"#, "tensor fc.bias: expected a dtype, found none at line 1 column 13"),
        (r#"{} {}"#, "broken header: trailing characters at line 1 column 4"),
        (r#"{3:4}"#, "broken header: key must be a string at line 1 column 2"),
        (r#"{"a"#, "broken header: EOF while parsing a string at line 1 column 3"),
        (r#"{"\q":1}"#, "broken header: invalid escape at line 1 column 4"),
        (
            r#"{"__metadata__":{"a":1}}"#,
            "broken header: invalid type: integer `1`, expected a string in __metadata__ at line 1 column 22",
        ),
        (
            r#"{"__metadata__":[]}"#,
            "broken header: invalid type: sequence, expected strings by name as __metadata__ at line 1 column 16",
        ),
    ] {
        assert_eq!(broken(header), text, "{header}");
    }
    assert_eq!(
        refused(&[&3_u64.to_le_bytes()[..], b"{\"\xff\"}"].concat()),
        "broken header: expected UTF-8, found other bytes from byte 10 on"
    );
    let huge = [&100_000_001_u64.to_le_bytes()[..], b"{}"].concat();
    assert_eq!(refused(&huge), "broken header: it has 100000001 bytes, more than the 100000000 of the format");
}

#[test]
fn only_what_is_no_safetensors_file_is_called_none() {
    for bytes in [&b"nothing of the kind"[..], &[0; 100], &[0xff; 100], b"\x08\0\0\0\0\0\0\0[1,2,3]  "] {
        assert_eq!(refused(bytes), "not a safetensors file: no header begins at byte 8");
    }
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    assert!(refused(pointer).ends_with("it is a pointer of Git LFS; get the file with git lfs pull"));
    assert!(refused(b"\x1f\x8b\x08\0\0\0\0\0\0\0").ends_with("it is packed with gzip; unpack it first"));
}

#[test]
fn what_a_file_calls_its_tensors_cannot_fill_or_rewrite_a_terminal() {
    let text = refused(&file(r#"{"\u001b[2J\n\u202e":{"dtype":"F33"}}"#, 0));
    assert_eq!(
        text,
        "tensor \\u{1b}[2J\\n\\u{202e}: expected a type of safetensors, found \"F33\" at line 1 column 36"
    );
    let text = refused(&file(&format!(r#"{{"{}":{{"dtype":"\u001b"}}}}"#, "x".repeat(1 << 20)), 0));
    let end = "x..: expected a type of safetensors, found \"\\u{1b}\" at line 1 column 1048598";
    assert!(text.len() < 250 && text.ends_with(end), "{text}");
}

/// Runs this and says how long it took, which must be less than a second; ten of a debug build beside other tests.
fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let (took, limit) = (start.elapsed(), Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 }));
    println!("{what}: {took:?}");
    assert!(took < limit, "{what}: {took:?}");
    result
}

fn megabytes() -> usize {
    env::var("HOSTILE_MEGABYTES").map_or(8, |value| value.parse().unwrap())
}

/// A header of about so many bytes, with one entry after the other, `empty` ones with names by number.
fn large(scratch: &Scratch, open: &str, entry: impl Fn(usize) -> String, close: &str) -> usize {
    let mut header = open.to_owned();
    let mut entries = 0;
    let limit = megabytes() * 1_000_000 - 1000;
    while header.len() < limit {
        if entries > 0 {
            header.push(',');
        }
        header += &entry(entries);
        entries += 1;
    }
    header += close;
    let mut file = BufWriter::new(File::create(&scratch.0).unwrap());
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.flush().unwrap();
    entries
}

const EMPTY: &str = r#"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;

#[test]
fn a_hundred_thousand_names_are_an_error_soon_and_a_short_one() {
    let scratch = Scratch::new("names");
    for (what, name) in [
        ("short names", (|index| format!("\"{index}\":{EMPTY}")) as fn(usize) -> String),
        ("names like the network's", |index| format!("\"fc.weighs{index}\":{EMPTY}")),
        ("names behind a prefix", |index| format!("\"module.{index}.fc.weight\":{EMPTY}")),
        ("names of the same end", |index| format!("\"{}.fc.bias\":{EMPTY}", "x".repeat(index % 100))),
        ("long names", |index| format!("\"{}{index}.fc.weight\":{EMPTY}", "x".repeat(330))),
        ("escaped names", |index| format!("\"\\u0041{index}\":{EMPTY}")),
    ] {
        let entries = large(&scratch, "{", name, "}");
        let mut net = Net::new(1);
        let text =
            soon(&format!("{entries} {what}"), || net.load_safetensors(&scratch.0).map_err(|error| error.to_string()));
        let text = text.unwrap_err();
        assert!(text.lines().count() < 20 && text.len() < 4000, "{text}");
        let is_refused = text.contains("one tensor of this name") || text.contains("more than 262144 tensors");
        assert!(is_refused || text.contains(&format!("and {} more", entries - 5)), "{text}");
        let report = soon("leniently", || {
            net.load_with(&scratch.0, &Loading::new().strict(false)).map(|report| report.to_string())
        });
        assert!(report.map_or(is_refused, |text| text.lines().count() < 20));
        assert_eq!(net.weights(), Net::new(1).weights());
    }
}

#[test]
fn no_header_takes_long_or_deep() {
    let scratch = Scratch::new("deep");
    let brackets = |_| "[".repeat(1000);
    for (what, open, entry, close) in [
        ("nested lists", r#"{"fc.bias":{"shape":["#, &brackets as &dyn Fn(usize) -> String, ""),
        ("nested objects", r#"{"fc.bias":"#, &|_| r#"{"shape":"#.repeat(100), ""),
        ("nested notes", r#"{"__metadata__":"#, &brackets, ""),
        ("notes", r#"{"__metadata__":{"#, &|index| format!("\"{index}\":\"\""), "}} x"),
        ("a shape without end", r#"{"fc.bias":{"shape":["#, &|_| "1".to_owned(), "]}}"),
        ("a number without end", r#"{"fc.bias":{"shape":["#, &|_| "1".repeat(1_000_000), "]}}"),
        ("a name without end", r#"{""#, &|_| "x".repeat(1000), ""),
        ("a name of escapes", r#"{""#, &|_| "\\n".repeat(500), "\":{\"dtype\":1}}"),
        ("spaces", "{", &|_| " ".repeat(1000), "}"),
        ("fields", r#"{"fc.bias":{"#, &|_| r#""dtype":"F32""#.to_owned(), "}}"),
        ("one name", "{", &|_| format!("\"fc.bias\":{EMPTY}"), "}"),
        (
            "offsets far away",
            "{",
            &|index| {
                let at = u64::MAX - index as u64;
                format!(r#""{index}":{{"dtype":"U8","shape":[0],"data_offsets":[{at},{at}]}}"#)
            },
            "}",
        ),
    ] {
        large(&scratch, open, entry, close);
        let mut net = Net::new(1);
        let text = soon(what, || net.load_safetensors(&scratch.0).map_err(|error| error.to_string()).unwrap_err());
        assert!(text.len() < 1000, "{text}");
    }
}

/// A header that claims much, in a file that is large without taking room.
#[test]
fn a_file_of_holes_is_not_read() {
    let scratch = Scratch::new("holes");
    for (header, text) in [(0_u64, "no header begins at byte 8"), (1 << 40, "no header begins at byte 8")] {
        let mut file = File::create(&scratch.0).unwrap();
        file.write_all(&header.to_le_bytes()).unwrap();
        file.set_len(1 << 36).unwrap();
        let error = soon("a file of holes", || Net::new(1).load_safetensors(&scratch.0).unwrap_err());
        assert!(error.to_string().ends_with(text), "{error}");
    }
    // One whose tensors nobody asked for: they are not read.
    let len = 1_u64 << 36;
    let header =
        format!(r#"{{{WEIGHT},{BIAS},"huge":{{"dtype":"U8","shape":[{len}],"data_offsets":[32,{}]}}}}"#, len + 32);
    let mut file = File::create(&scratch.0).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + 32 + len).unwrap();
    let report =
        soon("a tensor of holes", || Net::new(1).load_with(&scratch.0, &Loading::new().strict(false)).unwrap());
    assert_eq!(report.extra().collect::<Vec<_>>(), ["huge"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_an_error_soon() {
    let pipe = Scratch::new("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe.0).status().unwrap().success());
    for (path, text) in [
        (pipe.0.as_path(), "is not a regular file"),
        (Path::new("/dev/zero"), "is not a regular file"),
        (Path::new("/dev/null"), "is not a regular file"),
        (Path::new("/"), "is a folder, not a file"),
    ] {
        let error = soon("a path", || Net::new(1).load_safetensors(path).unwrap_err());
        assert!(matches!(error, Error::Io { .. }) && error.to_string().ends_with(text), "{error}");
    }
}

/// A file that somebody empties and fills while it is read: an error, or what was there.
#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let scratch = Scratch::new("shrinking");
    let whole = whole();
    let until = Instant::now() + Duration::from_millis(200);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                fs::write(&scratch.0, &whole).unwrap();
                File::options().write(true).open(&scratch.0).unwrap().set_len(100).unwrap();
            }
        });
        while Instant::now() < until {
            if let Err(error) = Net::new(1).load_safetensors(&scratch.0) {
                let text = error.to_string();
                let is_known = ["truncated", "it is empty", "it has", "no header", "No such file", "os error"];
                assert!(is_known.iter().any(|known| text.contains(known)), "{text}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the crate `safetensors` refuses is refused, and what it reads is read, up to what only it allows.
    #[test]
    fn a_changed_header_is_read_as_the_crate_safetensors_reads_it(
        place in any::<prop::sample::Index>(),
        other in prop::sample::select(r#"0123456789-.eE,:[]{}"\ nutFw8"#.chars().collect::<Vec<_>>()),
        insert: bool,
    ) {
        let mut header = format!("{{{WEIGHT},{BIAS}}}");
        // The crate allows spaces in front, which the format does not.
        let place = 1 + place.index(header.len() - 1);
        header.replace_range(place..place + usize::from(!insert), &other.to_string());
        let bytes = file(&header, 32);
        let scratch = Scratch::new("differential");
        fs::write(&scratch.0, &bytes).unwrap();
        let ours = Net::new(1).load_with(&scratch.0, &Loading::new().strict(false));
        let theirs = safetensors::SafeTensors::deserialize(&bytes);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", header, ours.err(), theirs.err());
    }
}

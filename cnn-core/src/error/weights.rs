//! What can be wrong with a file of weights. A file is not trusted: its text stays short and printable, whatever names are in it.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

/// One thing that is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsProblem {
    /// Not in the format at all.
    #[error("not a safetensors file: {0}")]
    Format(String),
    /// Of no kind that is read.
    #[error("expected a safetensors file, an index of its shards or a file of torch.save: {0}")]
    Unknown(String),
    /// Of a kind that is read, but not all of it.
    #[error("{0}")]
    Unsupported(String),
    /// In the format, with a header that breaks its rules.
    #[error("broken header: {}", cut(_0))]
    Header(String),
    /// What the header says of a tensor cannot be.
    #[error("tensor {}: expected {expected}, found {found}", shown(name))]
    Entry {
        /// The tensor's name.
        name: String,
        /// What the format asks for.
        expected: String,
        /// What the header says.
        found: String,
    },
    /// What the header says of a tensor is not what the format asks for.
    #[error("tensor {}: {}", shown(name), cut(what))]
    Field {
        /// The tensor's name.
        name: String,
        /// What the reader of JSON says, with the place in the header.
        what: String,
    },
    /// The end is missing, as of a download that was interrupted.
    #[error("{}", truncated(name.as_deref(), *expected, *found))]
    Truncated {
        /// The first tensor that is not whole; none if the header itself is not, which says how long the file is.
        name: Option<String>,
        /// Bytes of the whole file, or, if the header is cut, the least that there can be.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Bytes that belong to no tensor.
    #[error("expected the end behind {expected} bytes, found {} more", found - expected)]
    Longer {
        /// Bytes of the header and all tensors.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The network's names stand behind a prefix in the file, as wrappers of PyTorch's modules write them.
    #[error(
        "{} \"{}\"; Loading::new().strip_prefix(\"{}\") takes it off",
        starting(*names, *of),
        shown(prefix),
        shown(prefix)
    )]
    Prefix {
        /// It.
        prefix: String,
        /// How many names of the file start with it.
        names: usize,
        /// How many names the file has.
        of: usize,
    },
    /// The network has a tensor that the file lacks.
    #[error("tensor {} is missing: expected {expected:?}{}", shown(name), did_you_mean(nearest))]
    Missing {
        /// The tensor's name.
        name: String,
        /// Its sizes.
        expected: Vec<usize>,
        /// Names in the file that resemble it; they are looked for for the first few only.
        nearest: Vec<String>,
    },
    /// The file has a tensor that the network lacks.
    #[error("tensor {} is not in the network{}", shown(name), did_you_mean(nearest))]
    Extra {
        /// The tensor's name.
        name: String,
        /// Names in the network that resemble it; they are looked for for the first few only.
        nearest: Vec<String>,
    },
    /// Two of the file's tensors that are the same one of the network, as they were renamed.
    #[error("tensors {} and {} are both renamed to {}", shown(first), shown(second), shown(name))]
    SameName {
        /// The new name.
        name: String,
        /// The name of the one in the file.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// Something else stands under a tensor's name.
    #[error("{}: expected a tensor, found {found}", shown(name))]
    NoTensor {
        /// The name.
        name: String,
        /// What stands there.
        found: &'static str,
    },
    /// An archive of `torch.save` that is none.
    #[error("broken archive: {}", cut(_0))]
    Archive(String),
    /// A pickle that breaks its rules, or asks for what files of weights do not need.
    #[error("broken pickle at byte {at}: {what}")]
    Pickle {
        /// The place in the file.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// A pickle that wants to run code.
    #[error("wants to call {}: a file of weights calls nothing", shown(name))]
    Calls {
        /// The function.
        name: String,
    },
    /// A pickle of objects whose classes are code, such as a module as a whole.
    #[error(
        "holds an object of the class {}, not only tensors: write it with torch.save(model.state_dict(), ..)",
        shown(class)
    )]
    Object {
        /// The class.
        class: String,
    },
    /// A key of `under` that is not there.
    #[error("expected a dict under \"{}\", found {}", shown(key), keys(found))]
    NoKey {
        /// It.
        key: String,
        /// The keys that there are.
        found: Vec<String>,
    },
    /// Tensors under several keys, none of which is the usual one.
    #[error(
        "there are tensors under {}; Loading::new().under(\"{}\") takes those",
        keys(found),
        shown(found.first().map_or("", |key| key))
    )]
    Ambiguous {
        /// They.
        found: Vec<String>,
    },
    /// A pickle without a dict of tensors.
    #[error("expected a dict of tensors by name, found {found}{}", of_keys(has))]
    NoTensors {
        /// What it has.
        found: String,
        /// The keys, if it has a dict.
        has: Vec<String>,
    },
    /// An index of shards that is none.
    #[error("broken index of shards: {}", cut(_0))]
    Index(String),
    /// A problem with a tensor of one of several files.
    #[error("{}: {problem}", shown(shard))]
    Shard {
        /// The file, as the index calls it.
        shard: String,
        /// The problem.
        problem: Box<WeightsProblem>,
    },
    /// Of another shape.
    #[error("tensor {}: expected {expected:?}, found {found:?}", shown(name))]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its sizes in the network.
        expected: Vec<usize>,
        /// Its sizes in the file.
        found: Vec<usize>,
    },
    /// Of a type of number that is not converted.
    #[error("tensor {}: expected {expected}, found {found}", shown(name))]
    Type {
        /// The tensor's name.
        name: String,
        /// The type that the network has.
        expected: String,
        /// Its type in the file.
        found: String,
    },
    /// A count that is none: negative, with a fraction, or too large.
    #[error("tensor {}: expected a whole number from 0 to {}, found {value}", shown(name), i64::MAX)]
    Count {
        /// The tensor's name.
        name: String,
        /// The value in the file.
        value: String,
    },
    /// A count that a lenient reader left out, because the file's statistics that it belongs to do not fit.
    #[error("tensor {} counts for statistics that were not all taken", shown(name))]
    CountAlone {
        /// The tensor's name.
        name: String,
    },
    /// Not a number.
    #[error("tensor {}: value {index} is NaN", shown(name))]
    NotANumber {
        /// The tensor's name.
        name: String,
        /// Which value, in the file's order.
        index: usize,
    },
}

impl WeightsProblem {
    /// It, without the shard in which it is.
    pub fn itself(&self) -> &Self {
        match self {
            Self::Shard { problem, .. } => problem,
            problem => problem,
        }
    }
}

/// Problems of one kind that are told one by one.
const SHOWN: usize = 5;

/// A line for each of a few problems of each kind, and one for how many more there are.
pub(crate) fn lines(problems: &[WeightsProblem]) -> Vec<String> {
    let mut told: HashMap<Discriminant<WeightsProblem>, usize> = HashMap::new();
    let mut lines = Vec::new();
    for problem in problems {
        let of_kind = told.entry(discriminant(problem.itself())).or_default();
        if *of_kind < SHOWN {
            *of_kind += 1;
            lines.push(problem.to_string());
        }
    }
    if lines.len() < problems.len() {
        lines.push(format!("and {} more", problems.len() - lines.len()));
    }
    lines
}

/// The characters of a name that are shown.
const NAME: usize = 100;

/// A name from a file: its beginning, with what would move the cursor or hide text written out.
fn shown(name: &str) -> String {
    let mut shown = String::new();
    for character in name.chars().take(NAME) {
        match character {
            '\'' | '"' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if name.chars().nth(NAME).is_some() {
        shown.push_str("..");
    }
    shown
}

/// A sentence with words of a file in it: its beginning and its end, which says the place.
fn cut(sentence: &str) -> String {
    let printable = |text: &str| {
        text.chars()
            .flat_map(|character| {
                let plain = matches!(character, '\'' | '"' | '\\');
                let escaped = (!plain).then(|| character.escape_debug());
                plain.then_some(character).into_iter().chain(escaped.into_iter().flatten())
            })
            .collect::<String>()
    };
    let mut ends = sentence.char_indices().map(|(place, _)| place);
    let (first, last) = (ends.by_ref().nth(NAME), ends.nth_back(NAME));
    match (first, last) {
        (Some(first), Some(last)) => format!("{}..{}", printable(&sentence[..first]), printable(&sentence[last..])),
        _ => printable(sentence),
    }
}

/// Keys of a dict, the first few.
fn keys(keys: &[String]) -> String {
    const MOST: usize = 8;
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let shown: Vec<_> = keys.iter().take(MOST).map(|key| format!("\"{}\"", shown(key))).collect();
    let more = keys.len().checked_sub(MOST).filter(|more| *more > 0);
    shown.join(", ") + &more.map_or(String::new(), |more| format!(" and {more} more"))
}

fn of_keys(has: &[String]) -> String {
    if has.is_empty() { String::new() } else { format!(" of {}", keys(has)) }
}

fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("; did you mean {}?", names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(" or "))
}

fn truncated(name: Option<&str>, expected: u64, found: u64) -> String {
    let missing = expected - found;
    match name {
        Some(name) => {
            let name = shown(name);
            format!("truncated in tensor {name}: expected {expected} bytes, found {found}; {missing} are missing")
        }
        None => format!(
            "truncated in its header: expected at least {expected} bytes, found {found}; at least {missing} are missing"
        ),
    }
}

fn starting(names: usize, of: usize) -> String {
    if names == of { "every name starts with".to_owned() } else { format!("{names} of {of} names start with") }
}

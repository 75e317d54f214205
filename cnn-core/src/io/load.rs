//! From a safetensors file to a network: which tensor is whose, and what PyTorch makes of it.

use std::path::Path;

use super::header::{self, Entry, Header};
use super::names;
use super::number::{F32, I64};
use super::source::Source;
use crate::Error;
use crate::error::{Nearest, WeightsProblem};
use crate::layer::Order;
use crate::network::{Home, Network, Place, Weights, places};

/// How names that do not fit are dealt with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// What is taken off the file's names that start with it; may be empty.
    pub(super) prefix: &'a str,
    /// Whether everything must fit. If not, what does is taken, by the names as they are.
    pub(super) strict: bool,
}

/// Takes from a file what fits the network, and says what does not. On an error the weights are good for nothing.
pub(super) fn load<N: Network>(
    path: &Path,
    reading: Reading<'_>,
    weights: &mut Weights<N>,
) -> Result<Vec<WeightsProblem>, Error> {
    let mut source = Source::open(path)?;
    let text = header::text(&mut source)?;
    let header = header::parse(&text, source.len).map_err(|problem| source.problem(problem))?;
    let places = places(N::STEPS);

    let mut problems = Vec::new();
    let mut prefix = reading.prefix;
    let mut matches = Matches::of(&header, &places, prefix);
    if let Some(other) = matches.other_prefix(&header, &places) {
        let names = header.entries.iter().filter(|entry| entry.name.starts_with(other)).count();
        problems.push(WeightsProblem::Prefix { prefix: other.to_owned(), names, of: header.entries.len() });
        if reading.strict {
            // The file is refused; what else is wrong with it shows without the prefix.
            prefix = other;
            matches = Matches::of(&header, &places, prefix);
        }
    }

    let extra: Vec<&str> = matches.unclaimed(&header).collect();
    let stripped: Vec<&str> = extra.iter().map(|name| name.strip_prefix(prefix).unwrap_or(name)).collect();
    let unmet = matches.unmet(&places);
    let mut nearest = Nearest::among(&stripped);
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(places.len());
    for (place, entry) in places.iter().zip(&matches.entries) {
        let Some(entry) = *entry else {
            if !is_new_in_pytorch(place) {
                let (name, expected) = (place.name.clone(), place.parameter.sizes().to_vec());
                problems.push(WeightsProblem::Missing { nearest: nearest.of(&name), name, expected });
            }
            taken.push(None);
            continue;
        };
        let result = take(&mut source, &header, &header.entries[entry], place, weights)?;
        taken.push(result.map_err(|problem| problems.push(problem)).ok());
    }
    problems.extend(settle_counts(&places, &taken, weights));

    let mut nearest = Nearest::among(&unmet);
    problems.extend(
        extra
            .iter()
            .zip(&stripped)
            .map(|(name, stripped)| WeightsProblem::Extra { name: (*name).to_owned(), nearest: nearest.of(stripped) }),
    );
    Ok(problems)
}

/// Which of the file's tensors is whose.
struct Matches {
    /// Of each of the network's tensors, that of the file.
    entries: Vec<Option<usize>>,
    /// Of each of the file's, whether it is one of those.
    is_claimed: Vec<bool>,
}

impl Matches {
    fn of(header: &Header<'_>, places: &[Place], prefix: &str) -> Self {
        let find = |name: &String| {
            let prefixed = if prefix.is_empty() { None } else { header.find(&format!("{prefix}{name}")) };
            prefixed.or_else(|| header.find(name))
        };
        let entries: Vec<_> = places.iter().map(|place| find(&place.name)).collect();
        let mut is_claimed = vec![false; header.entries.len()];
        entries.iter().flatten().for_each(|entry| is_claimed[*entry] = true);
        Self { entries, is_claimed }
    }

    /// The network's names that the file lacks.
    fn unmet<'a>(&self, places: &'a [Place]) -> Vec<&'a str> {
        let unmet = places.iter().zip(&self.entries).filter(|(_, entry)| entry.is_none());
        unmet.map(|(place, _)| place.name.as_str()).collect()
    }

    /// The file's names that the network lacks.
    fn unclaimed<'a>(&self, header: &'a Header<'_>) -> impl Iterator<Item = &'a str> + Clone {
        let unclaimed = header.entries.iter().zip(&self.is_claimed).filter(|(_, is_claimed)| !**is_claimed);
        unclaimed.map(|(entry, _)| &*entry.name)
    }

    /// What stands before most of the network's names, if they are not found as they are.
    fn other_prefix<'a>(&self, header: &'a Header<'_>, places: &[Place]) -> Option<&'a str> {
        let unmet = self.unmet(places);
        if 2 * unmet.len() <= places.len() {
            return None;
        }
        names::common_prefix(&unmet, self.unclaimed(header), |name| header.find(name).is_some())
    }
}

/// What was taken from a file.
enum Taken {
    /// Numbers, which are in the network.
    Numbers,
    /// A count, which is not yet: see [`settle_counts`].
    Count(u64),
}

/// Takes a tensor's values, if they are what the network's are.
fn take<N: Network>(
    source: &mut Source<'_>,
    header: &Header<'_>,
    entry: &Entry<'_>,
    place: &Place,
    weights: &mut Weights<N>,
) -> Result<Result<Taken, WeightsProblem>, Error> {
    let Place { name, parameter, .. } = place;
    let is_count = parameter.order == Order::Count;
    // Before version 0.4 PyTorch had no tensors without dimensions, and converters still write counts with one.
    if entry.sizes != parameter.sizes() && !(is_count && entry.sizes == [1]) {
        let (expected, found) = (parameter.sizes().to_vec(), entry.sizes.clone());
        return Ok(Err(WeightsProblem::Shape { name: name.clone(), expected, found }));
    }
    let bytes = source.read(header.start + entry.begin, entry.end - entry.begin, Some(name))?;
    let wrong_type = |expected: &str| WeightsProblem::Type {
        name: name.clone(),
        expected: expected.to_owned(),
        found: entry.dtype.name().to_owned(),
    };
    if is_count {
        let Some(number) = entry.dtype.to_number(&bytes) else { return Ok(Err(wrong_type(I64.name()))) };
        let count = number.to_count().map(Taken::Count);
        return Ok(count.ok_or_else(|| WeightsProblem::Count { name: name.clone(), value: number.to_string() }));
    }
    let Some(values) = entry.dtype.to_f32s(&bytes) else { return Ok(Err(wrong_type(F32.name()))) };
    if let Some(problem) = not_a_number(name, &values) {
        return Ok(Err(problem));
    }
    if let Some(numbers) = weights.numbers_mut(&place.home) {
        parameter.import(&values, numbers);
    }
    Ok(Ok(Taken::Numbers))
}

/// The first value that is not a number: no file that has one is read or written. An infinity is a number, as it is to
/// PyTorch.
pub(super) fn not_a_number(name: &str, values: &[f32]) -> Option<WeightsProblem> {
    let index = values.iter().position(|value| value.is_nan())?;
    Some(WeightsProblem::NotANumber { name: name.to_owned(), index })
}

/// Whether older files lack it and are whole: batch norms count since version 0.4.1.
fn is_new_in_pytorch(place: &Place) -> bool {
    place.parameter.order == Order::Count && place.parameter.name == "num_batches_tracked"
}

/// A count is that of its statistics: the file's where they are, or 0 if it has none, as in a new module of PyTorch's that
/// such a file is loaded into; the network's own where they are; and 0 where they are mixed. Returns those left out.
fn settle_counts<N: Network>(
    places: &[Place],
    taken: &[Option<Taken>],
    weights: &mut Weights<N>,
) -> Vec<WeightsProblem> {
    let mut left_out = Vec::new();
    for (place, value) in places.iter().zip(taken) {
        let Home::Count(index) = place.home else { continue };
        let is_statistic = |other: &Place| matches!(other.home, Home::State(_)) && other.module() == place.module();
        let statistics = || places.iter().zip(taken).filter(|(other, _)| is_statistic(other));
        let (all, from_file) = (statistics().count(), statistics().filter(|(_, value)| value.is_some()).count());
        let own = weights.counts()[index];
        weights.counts_mut()[index] = match value {
            Some(Taken::Count(count)) if from_file == all => *count,
            _ if from_file == 0 => own,
            _ => 0,
        };
        if value.is_some() && from_file < all {
            left_out.push(WeightsProblem::CountAlone { name: place.name.clone() });
        }
    }
    left_out
}

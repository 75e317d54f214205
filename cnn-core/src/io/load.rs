//! From a file of weights to a network: which tensor is whose, and what PyTorch makes of it.

use std::borrow::Cow;

use super::catalog::{Catalog, Entry, Files, Tensor, Value};
use super::loading::Loading;
use super::names;
use super::number::{F32, I64};
use super::report::LoadReport;
use crate::Error;
use crate::error::{Nearest, WeightsProblem};
use crate::layer::Order;
use crate::network::{Home, Network, Place, Weights, places};

/// Takes from a file what fits the network, and says what does not; on an error the network is as it was.
pub(super) fn load<N: Network>(
    network: &mut N,
    catalog: Catalog<'_>,
    loading: &Loading<'_>,
) -> Result<LoadReport, Error> {
    let Catalog { entries, mut files } = catalog;
    let mut weights = if loading.is_strict() { Weights::zeros() } else { network.weights().clone() };
    let problems = take_all(&entries, &mut files, loading, &mut weights)?;
    if loading.is_strict() && !problems.is_empty() {
        return Err(files.problems(problems));
    }
    network.weights_mut().take(weights);
    Ok(LoadReport { problems })
}

/// The problems; if there is an error the weights are good for nothing.
fn take_all<N: Network>(
    entries: &[Entry],
    files: &mut Files<'_>,
    loading: &Loading<'_>,
    weights: &mut Weights<N>,
) -> Result<Vec<WeightsProblem>, Error> {
    let places = places(N::STEPS);

    let mut problems = Vec::new();
    let mut names = Names::of(entries.iter().map(|entry| loading.name(&entry.name)).collect());
    let twice = names.twice(entries);
    if !twice.is_empty() {
        return Err(files.problems(twice));
    }
    let mut matches = Matches::of(&names, &places);
    if let Some(prefix) = matches.other_prefix(&names, &places).map(str::to_owned) {
        let starting = names.all.iter().filter(|name| name.starts_with(&prefix)).count();
        problems.push(WeightsProblem::Prefix { prefix: prefix.clone(), names: starting, of: names.all.len() });
        if loading.is_strict() {
            // The file is refused; what else is wrong with it shows without the prefix.
            let strip = |name: Cow<'_, str>| Cow::Owned(name.strip_prefix(&prefix).unwrap_or(&name).to_owned());
            names = Names::of(names.all.into_iter().map(strip).collect());
            matches = Matches::of(&names, &places);
        }
    }

    let extra: Vec<usize> = matches.unclaimed().collect();
    let extra_names: Vec<&str> = extra.iter().map(|entry| &*names.all[*entry]).collect();
    let unmet = matches.unmet(&places);
    let mut nearest = Nearest::among(&extra_names);
    let mut taken: Vec<Option<Taken>> = places.iter().map(|_| None).collect();
    let mut found: Vec<(usize, WeightsProblem)> = Vec::new();
    // Shard after shard.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|place| matches.entries[*place].map(|entry| entries[entry].file));
    for index in order {
        let place = &places[index];
        match matches.entries[index] {
            None if is_new_in_pytorch(place) => {}
            None => {
                let (name, expected) = (place.name.clone(), place.parameter.sizes().to_vec());
                found.push((index, WeightsProblem::Missing { nearest: nearest.of(&name), name, expected }));
            }
            Some(entry) => match take(files, &entries[entry], place, weights)? {
                Ok(value) => taken[index] = Some(value),
                Err(problem) => found.push((index, files.within(entries[entry].file, problem))),
            },
        }
    }
    found.sort_by_key(|(place, _)| *place);
    problems.extend(found.into_iter().map(|(_, problem)| problem));
    problems.extend(settle_counts(&places, &taken, weights));

    let mut nearest = Nearest::among(&unmet);
    problems.extend(extra.iter().zip(&extra_names).map(|(entry, own)| {
        let Entry { name, file, value } = &entries[*entry];
        let problem = match value {
            Value::Tensor(_) => WeightsProblem::Extra { name: name.clone(), nearest: nearest.of(own) },
            Value::Other(found) => WeightsProblem::NoTensor { name: name.clone(), found },
        };
        files.within(*file, problem)
    }));
    Ok(problems)
}

/// What the file's tensors are called in the network.
struct Names<'a> {
    all: Vec<Cow<'a, str>>,
    /// Which they are, by name: a map would hold every name once more.
    order: Vec<usize>,
}

impl<'a> Names<'a> {
    fn of(all: Vec<Cow<'a, str>>) -> Self {
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_unstable_by(|left, right| all[*left].cmp(&all[*right]).then(left.cmp(right)));
        Self { all, order }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.order.binary_search_by(|entry| (*self.all[*entry]).cmp(name)).ok().map(|place| self.order[place])
    }

    /// Tensors that have the name of another one.
    fn twice(&self, entries: &[Entry]) -> Vec<WeightsProblem> {
        let pairs = self.order.windows(2).filter(|pair| self.all[pair[0]] == self.all[pair[1]]);
        let problem = |pair: &[usize]| {
            let [first, second] = [pair[0], pair[1]].map(|entry| entries[entry].name.clone());
            WeightsProblem::SameName { name: self.all[pair[0]].clone().into_owned(), first, second }
        };
        pairs.map(problem).collect()
    }
}

/// Which of the file's tensors is whose.
struct Matches {
    /// Of each of the network's tensors, that of the file.
    entries: Vec<Option<usize>>,
    /// Of each of the file's, whether it is one of those.
    is_claimed: Vec<bool>,
}

impl Matches {
    fn of(names: &Names<'_>, places: &[Place]) -> Self {
        let entries: Vec<_> = places.iter().map(|place| names.find(&place.name)).collect();
        let mut is_claimed = vec![false; names.all.len()];
        entries.iter().flatten().for_each(|entry| is_claimed[*entry] = true);
        Self { entries, is_claimed }
    }

    /// The network's names that the file lacks.
    fn unmet<'a>(&self, places: &'a [Place]) -> Vec<&'a str> {
        let unmet = places.iter().zip(&self.entries).filter(|(_, entry)| entry.is_none());
        unmet.map(|(place, _)| place.name.as_str()).collect()
    }

    /// The file's tensors that the network lacks.
    fn unclaimed(&self) -> impl Iterator<Item = usize> + Clone {
        self.is_claimed.iter().enumerate().filter(|(_, is_claimed)| !**is_claimed).map(|(entry, _)| entry)
    }

    /// What stands before most of the network's names, if they are not found as they are.
    fn other_prefix<'a>(&self, names: &'a Names<'_>, places: &[Place]) -> Option<&'a str> {
        let unmet = self.unmet(places);
        if 2 * unmet.len() <= places.len() {
            return None;
        }
        let unclaimed = self.unclaimed().map(|entry| &*names.all[entry]);
        names::common_prefix(&unmet, unclaimed, |name| names.find(name).is_some())
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
    files: &mut Files<'_>,
    entry: &Entry,
    place: &Place,
    weights: &mut Weights<N>,
) -> Result<Result<Taken, WeightsProblem>, Error> {
    let Place { name, parameter, .. } = place;
    let tensor @ Tensor { dtype, sizes, .. } = match &entry.value {
        Value::Tensor(tensor) => tensor,
        Value::Other(found) => return Ok(Err(WeightsProblem::NoTensor { name: name.clone(), found })),
    };
    let is_count = parameter.order == Order::Count;
    // Before version 0.4 PyTorch had no tensors without dimensions, and converters still write counts with one.
    if sizes != parameter.sizes() && !(is_count && *sizes == [1]) {
        let (expected, found) = (parameter.sizes().to_vec(), sizes.clone());
        return Ok(Err(WeightsProblem::Shape { name: name.clone(), expected, found }));
    }
    let bytes = match files.read(entry.file, tensor, name)? {
        Ok(bytes) => bytes,
        Err(problem) => return Ok(Err(problem)),
    };
    let wrong_type = |expected: &str| WeightsProblem::Type {
        name: name.clone(),
        expected: expected.to_owned(),
        found: dtype.name().to_owned(),
    };
    if is_count {
        let Some(number) = dtype.to_number(&bytes) else { return Ok(Err(wrong_type(I64.name()))) };
        let count = number.to_count().map(Taken::Count);
        return Ok(count.ok_or_else(|| WeightsProblem::Count { name: name.clone(), value: number.to_string() }));
    }
    let Some(values) = dtype.to_f32s(&bytes) else { return Ok(Err(wrong_type(F32.name()))) };
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

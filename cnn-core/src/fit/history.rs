use std::collections::BTreeMap;

use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// What was measured in the course of a run: numbers by name, each with the epoch or step that it is of.
///
/// ```
/// use cnn_core::fit::History;
///
/// let mut history = History::default();
/// history.note("loss", 1, 0.7);
/// history.note("loss", 2, 0.5);
/// assert_eq!(history.of("loss"), [(1, 0.7), (2, 0.5)]);
/// assert_eq!(history.last("loss"), Some(0.5));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    series: BTreeMap<String, Vec<(u64, f64)>>,
}

impl History {
    /// Notes a number. A name is one line.
    pub fn note(&mut self, name: &str, at: u64, value: f64) {
        self.series.entry(name.replace(['\n', '\r'], " ")).or_default().push((at, value));
    }

    /// The numbers of a name, in the order in which they came.
    pub fn of(&self, name: &str) -> &[(u64, f64)] {
        self.series.get(name).map_or(&[], Vec::as_slice)
    }

    /// The last number of a name.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.of(name).last().map(|(_, value)| *value)
    }

    /// All names, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[(u64, f64)])> {
        self.series.iter().map(|(name, numbers)| (name.as_str(), numbers.as_slice()))
    }
}

impl State for History {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.text("names", self.series.keys().cloned().collect::<Vec<_>>().join("\n"));
        for (index, numbers) in self.series.values().enumerate() {
            record.wholes(&format!("{index}.at"), numbers.iter().map(|(at, _)| *at).collect());
            record.reals(&format!("{index}.values"), numbers.iter().map(|(_, value)| *value).collect());
        }
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let mut series = BTreeMap::new();
        for (index, name) in found.text("names")?.lines().enumerate() {
            let (at, values) = (found.wholes(&format!("{index}.at"))?, found.reals(&format!("{index}.values"))?);
            if at.len() != values.len() {
                let (expected, found_len) = (format!("{} numbers", at.len()), values.len().to_string());
                return Err(found.other(&format!("{index}.values"), &expected, &found_len));
            }
            series.insert(name.to_owned(), at.into_iter().zip(values).collect());
        }
        Ok(Box::new(move || self.series = series))
    }
}

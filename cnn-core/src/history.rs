//! What was measured in a run, as numbers over steps.

use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// Series of numbers, each with a name: a step (or an epoch) and a value at a time. What is not finite is a gap where it is
/// drawn.
///
/// ```
/// use cnn_core::history::History;
///
/// let mut history = History::new();
/// for step in 0..100 {
///     history.push("training loss", step, 1.0 / (1.0 + step as f64));
/// }
/// assert_eq!(history.series("training loss").last(), Some(&(99, 0.01)));
/// assert!(history.series("validation loss").is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    series: Vec<(String, Vec<(u64, f64)>)>,
}

impl History {
    /// Without any series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value to a series, which is there from its first value on. A name is one line.
    pub fn push(&mut self, name: &str, step: u64, value: f64) {
        let name = &*name.replace(['\n', '\r'], " ");
        match self.series.iter_mut().find(|(other, _)| other == name) {
            Some((_, values)) => values.push((step, value)),
            None => self.series.push((name.to_owned(), vec![(step, value)])),
        }
    }

    /// The values of a series in the order in which they came; none of one that there is not.
    pub fn series(&self, name: &str) -> &[(u64, f64)] {
        self.series.iter().find(|(other, _)| other == name).map_or(&[], |(_, values)| values)
    }

    /// The names of all series, in the order of their first values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|(name, _)| name.as_str())
    }

    /// The last value of a series.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.series(name).last().map(|(_, value)| *value)
    }
}

impl State for History {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.text("names", self.names().collect::<Vec<_>>().join("\n"));
        for (index, (_, values)) in self.series.iter().enumerate() {
            record.wholes(&format!("{index}.steps"), values.iter().map(|(step, _)| *step).collect());
            record.reals(&format!("{index}.values"), values.iter().map(|(_, value)| *value).collect());
        }
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let mut series = Vec::new();
        for (index, name) in found.text("names")?.lines().enumerate() {
            let (steps, values) = (found.wholes(&format!("{index}.steps"))?, found.reals(&format!("{index}.values"))?);
            if steps.len() != values.len() {
                let (expected, count) = (format!("{} numbers", steps.len()), values.len().to_string());
                return Err(found.other(&format!("{index}.values"), &expected, &count));
            }
            series.push((name.to_owned(), steps.into_iter().zip(values).collect()));
        }
        Ok(Box::new(move || self.series = series))
    }
}

//! What was measured in a run, as numbers over steps.

/// Series of numbers, each with a name: a step (or an epoch) and a value at a time. What is not finite is a gap where it is
/// drawn.
///
/// ```
/// use cnn_core::report::History;
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

    /// Adds a value to a series, which is there from its first value on.
    pub fn push(&mut self, name: &str, step: u64, value: f64) {
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
}

//! What a lenient reader left out.

use core::fmt;

use crate::error::{WeightsProblem, lines};

/// What of a file did not fit a network, and what of the network the file did not have: nothing, unless the file was read
/// leniently.
#[derive(Debug)]
pub struct LoadReport {
    /// One for each tensor that was left out, with its name; before them, if the network's names stand behind another prefix
    /// in the file, one that says so.
    pub problems: Vec<WeightsProblem>,
}

impl LoadReport {
    /// Whether everything fitted.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Names of the network's tensors that the file lacks.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().filter_map(|problem| match problem.itself() {
            WeightsProblem::Missing { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Names of the file's tensors that the network lacks.
    pub fn extra(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().filter_map(|problem| match problem.itself() {
            WeightsProblem::Extra { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Names of tensors that both have, in another shape.
    pub fn of_another_shape(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().filter_map(|problem| match problem.itself() {
            WeightsProblem::Shape { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A line for each of a few tensors that were left out, and one for how many more there are.
impl fmt::Display for LoadReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(&self.problems).iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

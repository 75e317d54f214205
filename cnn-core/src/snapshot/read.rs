use core::cell::RefCell;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use super::write::name_within;
use super::{SnapshotProblem, Staged, State};

/// What was found by one name.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Numbers of a tensor of these sizes.
    Values {
        /// Its sizes.
        sizes: Vec<usize>,
        /// Its numbers.
        values: Vec<f32>,
    },
    /// Whole numbers.
    Wholes(Vec<u64>),
    /// Numbers.
    Reals(Vec<f64>),
    /// Words.
    Text(String),
}

impl Content {
    fn kind(&self) -> String {
        match self {
            Self::Values { sizes, .. } => format!("a tensor of sizes {sizes:?}"),
            Self::Wholes(numbers) => format!("{} whole numbers", numbers.len()),
            Self::Reals(numbers) => format!("{} numbers", numbers.len()),
            Self::Text(_) => "words".to_owned(),
        }
    }
}

/// A snapshot that is read, or what is in it by names that begin alike.
pub struct Found<'a> {
    within: String,
    items: &'a BTreeMap<String, Content>,
    asked: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Found<'a> {
    /// All of it. `asked` gets the names that somebody asks for.
    pub(crate) fn new(items: &'a BTreeMap<String, Content>, asked: &'a RefCell<BTreeSet<String>>) -> Self {
        Self { within: String::new(), items, asked }
    }

    /// Finds a state by the name that it was noted by.
    ///
    /// # Errors
    ///
    /// What the state says, or if there is nothing by that name.
    pub fn stage<'b>(&self, name: &str, state: &'b mut (impl State + ?Sized)) -> Result<Staged<'b>, SnapshotProblem>
    where
        'a: 'b,
    {
        let found = Found { within: name_within(&self.within, name), items: self.items, asked: self.asked };
        state.stage(&found)
    }

    /// The numbers of a tensor of these sizes.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn values(&self, name: &str, sizes: &[usize]) -> Result<&'a [f32], SnapshotProblem> {
        self.get(name, &format!("a tensor of sizes {sizes:?}"), |content| match content {
            Content::Values { sizes: found, values } if found == sizes => Some(&values[..]),
            _ => None,
        })
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn whole(&self, name: &str) -> Result<u64, SnapshotProblem> {
        self.get(name, "a whole number", |content| match content {
            Content::Wholes(numbers) if numbers.len() == 1 => Some(numbers[0]),
            _ => None,
        })
    }

    /// Whole numbers.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn wholes(&self, name: &str) -> Result<Vec<u64>, SnapshotProblem> {
        self.get(name, "whole numbers", |content| match content {
            Content::Wholes(numbers) => Some(numbers.clone()),
            _ => None,
        })
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn real(&self, name: &str) -> Result<f64, SnapshotProblem> {
        self.get(name, "a number", |content| match content {
            Content::Reals(numbers) if numbers.len() == 1 => Some(numbers[0]),
            _ => None,
        })
    }

    /// Numbers.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn reals(&self, name: &str) -> Result<Vec<f64>, SnapshotProblem> {
        self.get(name, "numbers", |content| match content {
            Content::Reals(numbers) => Some(numbers.clone()),
            _ => None,
        })
    }

    /// Words.
    ///
    /// # Errors
    ///
    /// If there is nothing by that name, or something else.
    pub fn text(&self, name: &str) -> Result<String, SnapshotProblem> {
        self.get(name, "words", |content| match content {
            Content::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// What is by a name, as what is expected there.
    fn get<T>(
        &self,
        name: &str,
        expected: &str,
        of: impl FnOnce(&'a Content) -> Option<T>,
    ) -> Result<T, SnapshotProblem> {
        let content = self.find(name)?;
        of(content).ok_or_else(|| self.other(name, expected, &content.kind()))
    }

    /// That something is not what is there now.
    pub fn other(&self, name: &str, expected: &str, found: &str) -> SnapshotProblem {
        SnapshotProblem::Other {
            name: name_within(&self.within, name),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn find(&self, name: &str) -> Result<&'a Content, SnapshotProblem> {
        let name = name_within(&self.within, name);
        let found = self.items.get(&name).ok_or_else(|| self.missing(&name))?;
        self.asked.borrow_mut().insert(name);
        Ok(found)
    }

    fn missing(&self, name: &str) -> SnapshotProblem {
        // As far down as there is something.
        let is_within = |module: &str, other: &str| {
            module.is_empty() || other.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'))
        };
        let mut module = name;
        while !self.items.keys().any(|other| is_within(module, other)) {
            module = module.rsplit_once('.').map_or("", |(module, _)| module);
        }
        let depth = if module.is_empty() { 1 } else { module.split('.').count() + 1 };
        let next = |other: &String| other.split('.').take(depth).collect::<Vec<_>>().join(".");
        let mut has: Vec<_> = self.items.keys().filter(|other| is_within(module, other)).map(next).collect();
        has.dedup();
        SnapshotProblem::Missing { name: name.to_owned(), has }
    }
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Found(within {:?}, {} items)", self.within, self.items.len())
    }
}

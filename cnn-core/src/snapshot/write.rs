use core::fmt;

use super::State;

/// What is noted by one name.
pub enum Item<'a> {
    /// Numbers of a tensor of these sizes, which are asked for when they are written.
    Values {
        /// Its sizes.
        sizes: Vec<usize>,
        /// Its numbers, in the order of the sizes.
        values: Box<dyn Fn() -> Vec<f32> + 'a>,
    },
    /// Whole numbers.
    Wholes(Vec<u64>),
    /// Numbers.
    Reals(Vec<f64>),
    /// Words.
    Text(String),
}

/// Notes of states, by name.
#[derive(Default)]
pub struct Record<'a> {
    /// What the names that are noted now begin with.
    within: String,
    items: Vec<(String, Item<'a>)>,
}

/// A name in a module of this name.
pub(super) fn name_within(module: &str, name: &str) -> String {
    let dot = if module.is_empty() || name.is_empty() { "" } else { "." };
    format!("{module}{dot}{name}")
}

impl<'a> Record<'a> {
    /// Notes a state by a name, which those of all that belongs to it begin with.
    pub fn within(&mut self, name: &str, state: &'a (impl State + ?Sized)) {
        let outer = self.within.clone();
        self.within = name_within(&outer, name);
        state.record(self);
        self.within = outer;
    }

    /// Notes a tensor.
    pub fn values(&mut self, name: &str, sizes: &[usize], values: impl Fn() -> Vec<f32> + 'a) {
        self.put(name, Item::Values { sizes: sizes.to_vec(), values: Box::new(values) });
    }

    /// Notes a whole number.
    pub fn whole(&mut self, name: &str, number: u64) {
        self.wholes(name, vec![number]);
    }

    /// Notes whole numbers.
    pub fn wholes(&mut self, name: &str, numbers: Vec<u64>) {
        self.put(name, Item::Wholes(numbers));
    }

    /// Notes a number.
    pub fn real(&mut self, name: &str, number: f64) {
        self.reals(name, vec![number]);
    }

    /// Notes numbers.
    pub fn reals(&mut self, name: &str, numbers: Vec<f64>) {
        self.put(name, Item::Reals(numbers));
    }

    /// Notes words.
    pub fn text(&mut self, name: &str, text: String) {
        self.put(name, Item::Text(text));
    }

    fn put(&mut self, name: &str, item: Item<'a>) {
        self.items.push((name_within(&self.within, name), item));
    }

    /// All that was noted.
    pub fn items(&self) -> &[(String, Item<'a>)] {
        &self.items
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.items.iter().map(|(name, _)| name)).finish()
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values { sizes, .. } => write!(formatter, "Values({sizes:?})"),
            Self::Wholes(numbers) => write!(formatter, "Wholes({numbers:?})"),
            Self::Reals(numbers) => write!(formatter, "Reals({numbers:?})"),
            Self::Text(text) => write!(formatter, "Text({text:?})"),
        }
    }
}

//! Mistakes are collected, not returned at the first: whoever compiles sees all of them at once. Knows no grammar.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far. Dropped without [`Errors::finish`], it panics: a lost mistake is a wrong network that
/// compiles.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// The uses of blocks that the walk is in, from the outermost.
    uses: Vec<String>,
    asked: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Goes on from mistakes that an earlier stage found.
    pub(crate) fn of(found: &[syn::Error]) -> Self {
        Self { found: found.to_vec(), uses: Vec::new(), asked: false }
    }

    /// Notes a mistake that is underlined at `tokens`.
    pub(crate) fn note(&mut self, tokens: impl ToTokens, text: impl Display) {
        self.push(syn::Error::new_spanned(tokens, text));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        let error = if self.uses.is_empty() {
            error
        } else {
            let uses: Vec<_> = self.uses.iter().rev().map(String::as_str).collect();
            retold(&error, &format!("in {}", uses.join(", in ")))
        };
        self.found.push(error);
    }

    /// Notes mistakes that were found elsewhere, as they are.
    pub(crate) fn extend(&mut self, found: &[syn::Error]) {
        self.found.extend_from_slice(found);
    }

    /// Says of all but the first so many what they have in common, and a way out that they share.
    pub(crate) fn retell(&mut self, count: usize, line: &str, way_out: &str) {
        for error in &mut self.found[count..] {
            *error = also(&retold(error, line), way_out);
        }
    }

    /// One more way out of the last mistake.
    pub(crate) fn add_way_out(&mut self, way_out: &str) {
        if let Some(error) = self.found.last_mut() {
            *error = also(error, way_out);
        }
    }

    /// Whether the walk is in a use of a block.
    pub(crate) fn in_use(&self) -> bool {
        !self.uses.is_empty()
    }

    /// Mistakes from here on are those of one use of a block.
    pub(crate) fn enter(&mut self, of: String) {
        self.uses.push(of);
    }

    pub(crate) fn leave(&mut self) {
        self.uses.pop();
    }

    /// Forgets all but the first so many.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.found.truncate(count);
    }

    /// Takes the value, or notes why there is none.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Everything that was noted; empty if nothing was wrong.
    pub(crate) fn finish(mut self) -> Vec<syn::Error> {
        self.asked = true;
        std::mem::take(&mut self.found)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !self.asked && !std::thread::panicking() {
            panic!("mistakes were collected, but nobody asked for them: {:?}", self.found);
        }
    }
}

/// The same mistake, said with one more line before the help.
pub(crate) fn retold(error: &syn::Error, line: &str) -> syn::Error {
    let text = error.to_string();
    let text = match text.split_once("\nhelp:") {
        Some((before, help)) => format!("{before}\n{line}\nhelp:{help}"),
        None => format!("{text}\n{line}"),
    };
    with_text(error, text)
}

/// The same mistake, with one more way out.
fn also(error: &syn::Error, way_out: &str) -> syn::Error {
    let text = error.to_string();
    let text =
        if text.contains("\nhelp:") { format!("{text}; or {way_out}") } else { format!("{text}\nhelp: {way_out}") };
    with_text(error, text)
}

fn with_text(error: &syn::Error, text: String) -> syn::Error {
    let tokens = error.to_compile_error().into_iter();
    let spans: Vec<_> = tokens.map(|token| token.span()).collect();
    let (start, end) = (error.span(), spans.last().copied().unwrap_or_else(|| error.span()));
    syn::Error::new_spanned(spanned(start, end), text)
}

/// Two tokens, for an error from the one to the other.
fn spanned(start: Span, end: Span) -> TokenStream {
    quote::quote_spanned!(start=> _).into_iter().chain(quote::quote_spanned!(end=> _)).collect()
}

/// `compile_error!` items for mistakes that belong to no network.
pub(crate) fn report(found: Vec<syn::Error>) -> TokenStream {
    found.into_iter().map(syn::Error::into_compile_error).collect()
}

/// The name of `known` that someone who wrote `word` probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let plain = |name: &str| name.replace('_', "");
    known
        .into_iter()
        .map(|name| if plain(name) == plain(&word) { (0, name) } else { (distance(&word, name), name) })
        .filter(|(distance, name)| *distance <= (name.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be typed, deleted, replaced or swapped with their neighbour to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<_>>()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_typos_and_other_spellings_but_does_not_guess() {
        let layers = ["conv2d", "max_pool2d", "avg_pool2d", "relu", "flatten", "linear", "dropout", "softmax"];
        let nearest = |word| nearest(word, layers);
        assert_eq!(nearest("conv2"), Some("conv2d"));
        assert_eq!(nearest("MaxPool2d"), Some("max_pool2d"));
        assert_eq!(nearest("maxpool"), Some("max_pool2d"));
        assert_eq!(nearest("rleu"), Some("relu"));
        assert_eq!(nearest("lstm"), None);
    }

    #[test]
    #[should_panic(expected = "nobody asked")]
    fn a_collector_that_nobody_asks_panics() {
        Errors::new().note(quote::quote!(x), "lost");
    }
}

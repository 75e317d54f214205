//! Weights that stay as they are while others are trained.

use super::weights::{Home, Place, Weights, places};
use super::{Network, Step};
use crate::Error;
use crate::error::Nearest;
use crate::layer::Parameter;

/// Whether a name is that of a part or of something in it; all are in the part without a name.
pub(crate) fn is_within(part: &str, name: &str) -> bool {
    part.is_empty() || name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// That no name of a list is that of a part or in it, with parts that may have been meant.
pub(crate) fn no_part<N: Network>(part: &str, names: impl Iterator<Item = String>) -> Error {
    let mut parts: Vec<String> = Vec::new();
    for name in names {
        let ends = name.match_indices('.').map(|(end, _)| end).chain([name.len()]);
        parts.extend(ends.map(|end| name[..end].to_owned()));
    }
    parts.sort_unstable();
    parts.dedup();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let nearest = Nearest::among(&parts).of(part);
    Error::NoPart { network: N::NAME, name: part.to_owned(), nearest }
}

/// A network's trainable tensors in the order of their values.
pub(crate) fn trainable(steps: &'static [Step]) -> impl Iterator<Item = (String, Parameter, core::ops::Range<usize>)> {
    places(steps).into_iter().filter_map(|Place { name, parameter, home }| match home {
        Home::Values(range) => Some((name, parameter, range)),
        Home::State(_) | Home::Count(_) => None,
    })
}

impl<N: Network> Weights<N> {
    /// Freezes a part, or lets it be trained again.
    pub(super) fn set_part_frozen(&mut self, frozen: bool, part: &str) -> Result<(), Error> {
        let names = || trainable(N::STEPS).map(|(name, ..)| name);
        if !names().any(|name| is_within(part, &name)) {
            return Err(no_part::<N>(part, names()));
        }
        self.set_frozen(frozen, |name, _| is_within(part, name))
    }

    /// The same of the tensors of which `is` says so.
    pub(super) fn set_frozen(
        &mut self,
        frozen: bool,
        mut is: impl FnMut(&str, &Parameter) -> bool,
    ) -> Result<(), Error> {
        let tensors: Vec<_> = trainable(N::STEPS).collect();
        let chosen: Vec<_> = tensors.iter().map(|(name, parameter, _)| is(name, parameter)).collect();
        if !chosen.contains(&true) {
            let names = tensors.into_iter().map(|(name, ..)| name).collect();
            return Err(Error::NoParameters { network: N::NAME, names });
        }
        let before = self.frozen();
        let now = chosen
            .iter()
            .enumerate()
            .map(|(tensor, chosen)| if *chosen { frozen } else { before.get(tensor).copied().unwrap_or(false) });
        let now: Vec<_> = now.collect();
        self.put_frozen(if now.contains(&true) { now } else { Vec::new() });
        Ok(())
    }

    /// The names of the tensors that are frozen, see [`Network::freeze_weights`].
    pub fn frozen_names(&self) -> impl Iterator<Item = String> {
        let frozen = self.frozen();
        let is_frozen = |tensor: usize| frozen.get(tensor).copied().unwrap_or(false);
        trainable(N::STEPS).enumerate().filter(move |(tensor, _)| is_frozen(*tensor)).map(|(_, (name, ..))| name)
    }
}

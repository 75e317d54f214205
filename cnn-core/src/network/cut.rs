//! A network in two parts: the steps before a cut run as in evaluation, without keeping anything, and those behind are trained.

use super::memory::cut;
use crate::layer::Pass;
use crate::layer::parts::Parts;

/// A place where a network can be cut in two, which the macro chose.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The first step behind it.
    pub step: usize,
    /// The maps that go through it: the number of each, where it lies in evaluation and where in training, and its values, per
    /// sample.
    pub maps: &'static [[usize; 4]],
}

impl Cut {
    /// The last of these cuts with nothing before it that anybody wants a gradient of.
    pub(crate) fn before_all_that_trains(cuts: &'static [Self], parts: &Parts) -> Option<&'static Self> {
        let first = parts.first();
        cuts.iter().rev().find(|cut| cut.step <= first)
    }

    /// Hands on the maps that go through it.
    pub(crate) fn cross(&self, samples: usize, evaluation: &[f32], training: &mut [f32]) {
        for [_, from, to, len] in self.maps {
            let [to] = cut(training, samples, [(*to, *len)]);
            to.copy_from_slice(&evaluation[samples * from..][..samples * len]);
        }
    }
}

/// A map that would be made again on the way back, if it is still where the steps before the cut left it.
#[doc(hidden)]
pub fn fetch(pass: &Pass<'_>, cuts: &[Cut], map: usize, samples: usize, to: &mut [f32]) -> bool {
    let Some((begin, before)) = pass.cut() else { return false };
    let maps = cuts.iter().filter(|cut| cut.step == begin).flat_map(|cut| cut.maps);
    let Some([_, from, _, len]) = maps.into_iter().find(|[other, ..]| *other == map) else { return false };
    to[..samples * len].copy_from_slice(&before[samples * from..][..samples * len]);
    true
}

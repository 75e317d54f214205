//! How the steps of a network are treated in training, where that is not the same for all.

use core::ops::Range;

use crate::layer::parts::{Parts, Said};
use crate::layer::{Mode, Step, step};
use crate::network::{Cut, Network, trainable};

/// What is said of the steps, and what follows from it.
#[derive(Default)]
pub(super) struct Treatment {
    /// Of each step, whether it runs as in evaluation whatever the mode is; none does if there are none.
    evaluates: Vec<bool>,
    /// What the rest was made of.
    frozen: Vec<bool>,
    wants_input: bool,
    is_made: bool,
    is_used: bool,
    /// None if all steps are treated alike.
    parts: Option<Parts>,
    /// Gradients that steps write although nobody wants them.
    unwanted: Vec<Range<usize>>,
}

impl Treatment {
    /// Sets the mode of those steps of which this is true, in the order of [`step::leaves`].
    pub(super) fn set_mode(&mut self, of: &[bool], mode: Mode) {
        self.evaluates.resize(of.len(), false);
        let steps = self.evaluates.iter_mut().zip(of).filter(|(_, is_it)| **is_it);
        steps.for_each(|(evaluates, _)| *evaluates = mode == Mode::Evaluation);
        self.is_made = false;
    }

    pub(super) fn evaluates(&self) -> &[bool] {
        &self.evaluates
    }

    pub(super) fn set_evaluates(&mut self, evaluates: Vec<bool>) {
        self.evaluates = evaluates;
        self.is_made = false;
    }

    /// Follows what is frozen in a network, and whether a gradient by its input is wanted. Gradients of what is frozen are zero
    /// from then on. Whether that has changed.
    pub(super) fn follow<N: Network>(&mut self, network: &N, wants_input: bool, gradients: &mut [f32]) -> bool {
        let frozen = network.weights().frozen();
        if self.is_made && self.frozen == frozen && self.wants_input == wants_input {
            return false;
        }
        let is_other = self.frozen != frozen;
        if is_other {
            // Before the first step they are zero.
            if self.is_used {
                gradients.fill(0.0);
            }
            self.frozen = frozen.to_vec();
        }
        self.is_used = true;
        (self.wants_input, self.is_made) = (wants_input, true);
        let is_said = frozen.contains(&true) || self.evaluates.contains(&true);
        let said = Said { frozen, evaluates: &self.evaluates, wants_input };
        self.parts = is_said.then(|| Parts::new(N::STEPS, &said));
        let shares = N::STEPS.iter().any(|step| step.shares.is_some());
        let first = match (&self.parts, self.cut::<N>()) {
            // A step behind a cut may add to the gradient of one before.
            (Some(parts), Some(cut)) if !shares => parts.first_tensor(cut.step),
            _ => 0,
        };
        let tensors = trainable(N::STEPS).enumerate();
        let unwanted = tensors.filter(|(tensor, _)| *tensor >= first && frozen.get(*tensor) == Some(&true));
        self.unwanted = unwanted.map(|(_, (.., values))| values).collect();
        is_other
    }

    /// What is said of the steps.
    pub(super) fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    /// Whether there are weights, and all gradients that could be made are of some that are frozen.
    pub(super) fn is_all_frozen(&self) -> bool {
        !self.frozen.is_empty() && self.parts().is_some_and(|parts| !parts.trains())
    }

    /// Where to cut, so that nothing before it is to be differentiated, if there is such a place.
    pub(super) fn cut<N: Network>(&self) -> Option<&'static Cut> {
        Cut::before_all_that_trains(N::CUTS, self.parts()?)
    }

    /// Clears what steps wrote although it is frozen.
    pub(super) fn clear(&self, gradients: &mut [f32]) {
        self.unwanted.iter().for_each(|values| gradients[values.clone()].fill(0.0));
    }

    /// The first step that needs more than one value, of a batch of one sample.
    pub(super) fn without_variance<N: Network>(&self) -> Option<(String, crate::shape::Sizes)> {
        step::without_variance(N::STEPS, self.parts())
    }
}

/// Each step of a network of which this says so, in the order of [`step::leaves`].
pub(super) fn chosen<N: Network>(mut is: impl FnMut(&str, &Step) -> bool) -> Vec<bool> {
    step::leaves(N::STEPS).iter().map(|(path, step)| is(path, step)).collect()
}

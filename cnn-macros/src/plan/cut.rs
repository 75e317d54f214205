//! Where a network can be cut in two: the steps before run as in evaluation, without keeping anything, and those behind are
//! trained. What a cut goes through are the maps that steps behind it read.

use super::again::writers_of;
use super::memory::{Memory, backwards};
use crate::plan::{MapId, Plan, StepId};

/// A place to cut at.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// The first step behind it.
    pub(crate) step: StepId,
    /// The maps with memory that go through it.
    pub(crate) maps: Vec<MapId>,
}

/// The cuts in order: before steps with weights, where one map goes through, or where a part ends that the network's own body
/// names. Others would be many, and who freezes less than a block of a residual network is rare.
pub(crate) fn cuts(plan: &Plan, evaluation: &Memory, training: &Memory) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let has_weights = |step: &StepId| plan.steps[*step].has_parameters() && !plan.steps[*step].is_normalization();
    for step in (1..plan.steps.len()).filter(has_weights) {
        let maps = evaluation.crossing(step);
        let part = |step: StepId| plan.steps[step].path.split('.').next();
        let ends_part = part(step) != part(step - 1);
        if (maps.len() == 1 || ends_part) && are_there(plan, training, step, &maps) {
            cuts.push(Cut { step, maps });
        }
    }
    cuts
}

/// Whether all that the steps behind make again, going backwards, is theirs or goes through the cut.
fn are_there(plan: &Plan, training: &Memory, step: StepId, maps: &[MapId]) -> bool {
    training.rebuilt_until(backwards(plan, step)).all(|base| {
        let is_before = |writer: StepId| writer < step;
        let mut writers = writers_of(plan, base).map(is_before);
        let before = writers.next().unwrap_or(false);
        writers.all(|other| other == before) && (!before || maps.contains(&base))
    })
}

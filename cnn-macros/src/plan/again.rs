//! Maps that are made a second time on the way back, instead of being kept: what a normalization, a sum or a small convolution
//! makes of a map that is kept anyway. The same code on the same values gives the same bits.

use std::collections::BTreeSet;

use super::memory::backwards;
use super::place::home;
use crate::plan::{INPUT, JoinKind, MapId, Plan, Run, Step, StepId};

/// A map that is made again.
#[derive(Debug, Clone)]
pub(crate) struct Rebuild {
    pub(crate) base: MapId,
    /// The steps that write it, in their order.
    pub(crate) steps: Vec<StepId>,
    /// When: just before the step that goes backwards then.
    pub(crate) now: usize,
}

/// A map that could be made again.
pub(crate) struct Candidate {
    pub(crate) base: MapId,
    /// What that costs per sample, in about the time of a multiply-add.
    pub(crate) cost: u128,
}

/// Multiply-adds that take as long as a value is read and written, which is all that a sum or a normalization takes.
const VALUE: u128 = 40;

/// What all that is made again may cost: a 32nd of a step, in which there are three products for each of the forward pass.
pub(crate) fn budget(plan: &Plan) -> u128 {
    let costs = plan.steps.iter().filter_map(|step| step.cost);
    costs.map(|cost| cost.multiply_adds).fold(0, u128::saturating_add).saturating_mul(3) / 32
}

/// The largest first.
pub(crate) fn candidates(plan: &Plan) -> Vec<Candidate> {
    let len = |candidate: &Candidate| plan.map(candidate.base).shape.known_len();
    let mut candidates: Vec<_> = (0..plan.maps.len()).filter_map(|map| candidate(plan, MapId(map))).collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(len(candidate)));
    candidates
}

fn candidate(plan: &Plan, base: MapId) -> Option<Candidate> {
    let of = home(plan, base);
    if of.base != base || base == INPUT || base == home(plan, plan.output).base {
        return None;
    }
    let values = u128::from(plan.map(base).shape.known_len()?);
    // It is one map, of which nothing is a part.
    let members = (0..plan.maps.len()).map(|map| home(plan, MapId(map))).filter(|home| home.base == base);
    if members.into_iter().any(|home| home.first > 0 || home.stride > 0) {
        return None;
    }
    let writers = writers(plan, base);
    if writers.is_empty() || first_read(plan, base, &[]).is_none() {
        return None;
    }
    let cost = |index: &StepId| {
        let step = &plan.steps[*index];
        // What it is made of is as it was.
        let last = |map: &MapId| writers_of(plan, home(plan, *map).base).last();
        let unchanged = |map: &MapId| home(plan, *map).base == base || last(map).is_none_or(|last| last < *index);
        let cost = cost(step).filter(|_| step.inputs.iter().all(unchanged));
        cost.map(|cost| cost.max(VALUE * values))
    };
    Some(Candidate { base, cost: writers.iter().map(cost).sum::<Option<u128>>()? })
}

/// Multiply-adds of a step that may be carried out again.
fn cost(step: &Step) -> Option<u128> {
    match step.run {
        Run::Apart | Run::WithActivation if step.is_normalization() || step.join() == Some(JoinKind::Add) => Some(0),
        Run::Apart | Run::WithActivation if step.is("conv2d") => Some(step.cost?.multiply_adds),
        _ => None,
    }
}

/// The steps that write in a memory, in their order.
pub(super) fn writers_of(plan: &Plan, base: MapId) -> impl Iterator<Item = StepId> + '_ {
    let writes = move |(_, step): &(StepId, &Step)| step.run != Run::View && home(plan, step.output).base == base;
    plan.steps.iter().enumerate().filter(writes).map(|(index, _)| index)
}

fn writers(plan: &Plan, base: MapId) -> Vec<StepId> {
    writers_of(plan, base).collect()
}

/// When a map is read for the first time on the way back, by steps that go backwards or by those that are carried out again.
fn first_read(plan: &Plan, base: MapId, rebuilds: &[Rebuild]) -> Option<usize> {
    let is = |map: &MapId| home(plan, *map).base == base;
    let backward = plan.steps.iter().enumerate().rev().find(|(_, step)| {
        step.inputs_read_backwards().any(|map| is(&map)) || step.reads_output_backwards() && is(&step.output)
    });
    let backward = backward.map(|(index, _)| backwards(plan, index));
    let reads = |rebuild: &&Rebuild| rebuild.steps.iter().any(|step| plan.steps[*step].inputs.iter().any(is));
    backward.into_iter().chain(rebuilds.iter().filter(reads).map(|rebuild| rebuild.now)).min()
}

/// When and how these are made again, in an order in which each finds what it is made of.
pub(crate) fn rebuilds(plan: &Plan, dropped: &BTreeSet<MapId>) -> Vec<Rebuild> {
    let mut of: Vec<_> = dropped.iter().map(|base| (*base, writers(plan, *base))).collect();
    // What is written last may be made of the others.
    of.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.last().copied()));
    let mut rebuilds = Vec::new();
    for (base, steps) in of {
        if let Some(now) = first_read(plan, base, &rebuilds) {
            rebuilds.push(Rebuild { base, steps, now });
        }
    }
    rebuilds.reverse();
    rebuilds
}

//! Chains of expressions become one: what an expression makes and another alone reads is made where it is read.

use std::collections::HashMap;

use super::fuse::only_reader;
use crate::plan::{Kind, MapId, Mapped, Plan, StepId};

/// An expression takes so many maps at most: more do not fit into registers.
pub(crate) const MOST_MAPS: usize = 8;
/// Nodes of the gradients of one that is made of two: a loop of more takes long to compile, and no memory is waited for.
const MOST_NODES: usize = 300;

pub(crate) fn compose(plan: &mut Plan) {
    // From the last, so that a chain of several is one in the end.
    for step in (0..plan.steps.len()).rev() {
        while let Some((branch, before)) = before(plan, step) {
            join(plan, step, branch, before);
        }
    }
    let is_gone = |step: &super::Step| matches!(&step.kind, Kind::Map(mapped) if mapped.operands.is_empty());
    if plan.steps.iter().any(is_gone) {
        remove(plan, is_gone);
    }
}

/// An input of an expression that another one makes for it alone, cell by cell.
fn before(plan: &Plan, step: StepId) -> Option<(usize, StepId)> {
    let Kind::Map(mapped) = &plan.steps[step].kind else { return None };
    (0..mapped.operands.len()).filter(|branch| mapped.operands[*branch].is_whole()).find_map(|branch| {
        let map = plan.steps[step].inputs[branch];
        let writer = plan.map(map).writer.filter(|_| only_reader(plan, map) == Some(step))?;
        let Kind::Map(other) = &plan.steps[writer].kind else { return None };
        let maps = mapped.operands.len() - 1 + other.operands.len();
        let nodes = mapped.expression.graph.len() + other.expression.graph.len();
        (maps <= MOST_MAPS && nodes <= MOST_NODES).then_some((branch, writer))
    })
}

fn join(plan: &mut Plan, step: StepId, branch: usize, before: StepId) {
    let (Kind::Map(last), Kind::Map(first)) = (&plan.steps[step].kind, &plan.steps[before].kind) else { return };
    let (mut inputs, mut arguments, mut operands): (Vec<MapId>, Vec<String>, Vec<_>) = Default::default();
    let mut places: [Vec<usize>; 2] = Default::default();
    // What the first takes is there once, also where the last takes it too.
    for (which, (mapped, of)) in [(first, before), (last, step)].into_iter().enumerate() {
        for (index, map) in plan.steps[of].inputs.iter().enumerate() {
            if which == 1 && index == branch {
                places[which].push(usize::MAX);
                continue;
            }
            let place = inputs.iter().position(|input| input == map).unwrap_or_else(|| {
                let mut name = mapped.expression.arguments[index].clone();
                while arguments.contains(&name) {
                    name += "_";
                }
                inputs.push(*map);
                arguments.push(name);
                operands.push(mapped.operands[index]);
                inputs.len() - 1
            });
            places[which].push(place);
        }
    }
    let expression = first.expression.then(&last.expression, &places, arguments);
    plan.steps[step].kind = Kind::Map(Mapped { name: "map", expression, operands });
    let gone = std::mem::take(&mut plan.steps[before].inputs);
    for map in gone {
        plan.maps[map.0].readers.retain(|reader| *reader != before);
        if !plan.maps[map.0].readers.contains(&step) {
            plan.maps[map.0].readers.push(step);
            plan.maps[map.0].readers.sort_unstable();
        }
    }
    let between = plan.steps[before].output;
    plan.maps[between.0].readers.clear();
    plan.steps[step].inputs = inputs;
    if let Kind::Map(mapped) = &mut plan.steps[before].kind {
        mapped.operands.clear();
    }
}

/// Takes steps out; the others have new numbers.
fn remove(plan: &mut Plan, is_gone: impl Fn(&super::Step) -> bool) {
    let mut numbers: HashMap<StepId, StepId> = HashMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if !is_gone(step) {
            numbers.insert(index, numbers.len());
        }
    }
    plan.steps.retain(|step| !is_gone(step));
    let now = |step: &StepId| numbers.get(step).copied();
    for step in &mut plan.steps {
        step.shares = step.shares.as_ref().and_then(now);
    }
    for map in &mut plan.maps {
        map.writer = map.writer.as_ref().and_then(now);
        map.readers = map.readers.iter().filter_map(now).collect();
    }
}

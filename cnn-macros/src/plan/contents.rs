//! Whether a predictor's steps find what was written for them, in the memory that maps share: the plan carried out on what
//! the channels of each memory hold.

use std::collections::{BTreeMap, HashMap};

use super::place::{home, root};
use crate::plan::{INPUT, JoinKind, MapId, Part, Plan, Run, Step, StepId};

/// What some channels hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Map(MapId),
    /// A sum to which so many steps have added.
    Sum(StepId, usize),
}

/// The channels of each memory that hold something: from the first on, to which one, and what.
type Memory = HashMap<MapId, BTreeMap<u64, (u64, Content)>>;

/// Whether all is found that is looked for, no step reads the memory that it writes, and the network's input is nobody's.
pub(super) fn are_kept(plan: &Plan) -> bool {
    let mut memory = Memory::new();
    write(plan, &mut memory, INPUT, Content::Map(INPUT));
    let runs = |(index, step): (StepId, &Step)| {
        let base = home(plan, step.output).base;
        match step.run {
            Run::View => return true,
            // It is computed where it is pooled.
            _ if step.pooled_by.is_some() => return true,
            Run::InPlace => {
                if base == INPUT || !holds(plan, &memory, step.input()) {
                    return false;
                }
            }
            Run::Apart | Run::WithActivation if base == INPUT => return false,
            Run::Apart | Run::WithActivation => match (step.join(), step.adds_to) {
                (_, Some(sum)) => {
                    let before = plan.adders(sum).iter().position(|adder| *adder == index).unwrap_or(0);
                    let found = reads(plan, &memory, step.input(), base) && is_added_up(plan, &memory, sum, before);
                    write(plan, &mut memory, step.output, Content::Sum(sum, before + 1));
                    return found;
                }
                (Some(JoinKind::Concat), _) => return concatenate(plan, &mut memory, step),
                (Some(JoinKind::Add), _) => {
                    let before = plan.adders(index).len();
                    let others = plan.apart(index).all(|branch| reads(plan, &memory, step.inputs[branch], base));
                    if !others || step.into.is_some() && !is_added_up(plan, &memory, index, before) {
                        return false;
                    }
                }
                _ => {
                    if !plan.reads(index).iter().all(|map| reads(plan, &memory, *map, base)) {
                        return false;
                    }
                }
            },
        }
        write(plan, &mut memory, step.output, Content::Map(step.output));
        true
    };
    plan.steps.iter().enumerate().all(runs) && holds(plan, &memory, plan.output)
}

/// Whether a step that writes the memory `base` finds a map, elsewhere.
fn reads(plan: &Plan, memory: &Memory, map: MapId, base: MapId) -> bool {
    home(plan, map).base != base && holds(plan, memory, map)
}

/// Whether where a sum is added up there is what so many steps have made of it.
fn is_added_up(plan: &Plan, memory: &Memory, sum: StepId, adders: usize) -> bool {
    let Some(into) = plan.steps[sum].into.map(|branch| plan.steps[sum].inputs[branch]) else { return false };
    if adders == 0 { holds(plan, memory, into) } else { is(plan, memory, into, Content::Sum(sum, adders)) }
}

/// Branches that lie in the whole are there, and the others are copied.
fn concatenate(plan: &Plan, memory: &mut Memory, step: &Step) -> bool {
    let base = home(plan, step.output).base;
    let mut copied = Vec::new();
    for (map, first) in step.inputs.iter().zip(plan.firsts(&step.inputs)) {
        let lies_in =
            first.known().is_some_and(|first| plan.map(root(plan, *map)).part == Some(Part { of: step.output, first }));
        if lies_in && !holds(plan, memory, *map) || !lies_in && !reads(plan, memory, *map, base) {
            return false;
        }
        match (first.known(), channels(plan, *map)) {
            (Some(first), Some(channels)) if !lies_in => copied.push((first, channels, Content::Map(seen(plan, *map)))),
            (Some(_), Some(_)) => {}
            // Sizes that only rustc knows: it is one thing, and nothing lies in it.
            _ => {
                write(plan, memory, step.output, Content::Map(step.output));
                return true;
            }
        }
    }
    let whole = home(plan, step.output).first;
    for (first, channels, content) in copied {
        put(memory.entry(base).or_default(), whole + first, whole + first + channels, content);
    }
    true
}

/// The map that a view shows.
fn seen(plan: &Plan, mut map: MapId) -> MapId {
    while let Some(writer) = plan.map(map).writer
        && plan.steps[writer].run == Run::View
    {
        map = plan.steps[writer].input();
    }
    map
}

fn channels(plan: &Plan, map: MapId) -> Option<u64> {
    plan.map(seen(plan, map)).shape.sizes()[0].known()
}

/// Where a map's channels are in its memory.
fn extent(plan: &Plan, map: MapId) -> (u64, u64) {
    let first = home(plan, map).first;
    (first, channels(plan, map).map_or(u64::MAX, |channels| first + channels))
}

fn write(plan: &Plan, memory: &mut Memory, map: MapId, content: Content) {
    let (first, end) = extent(plan, map);
    put(memory.entry(home(plan, map).base).or_default(), first, end, content);
}

fn put(memory: &mut BTreeMap<u64, (u64, Content)>, first: u64, end: u64, content: Content) {
    let before = memory.range(..end).rev().take_while(|(_, (end, _))| *end > first);
    let gone: Vec<_> = before.map(|(first, _)| *first).collect();
    for first in gone {
        memory.remove(&first);
    }
    memory.insert(first, (end, content));
}

fn is(plan: &Plan, memory: &Memory, map: MapId, content: Content) -> bool {
    let (first, end) = extent(plan, map);
    memory.get(&home(plan, map).base).and_then(|memory| memory.get(&first)) == Some(&(end, content))
}

/// Whether a map is where it should be. A concatenation is its branches.
fn holds(plan: &Plan, memory: &Memory, map: MapId) -> bool {
    let map = seen(plan, map);
    let Some(memory) = memory.get(&home(plan, map).base) else { return false };
    let (first, end) = extent(plan, map);
    has(plan, memory, map, first, end)
}

fn has(plan: &Plan, memory: &BTreeMap<u64, (u64, Content)>, map: MapId, first: u64, end: u64) -> bool {
    let map = seen(plan, map);
    if memory.get(&first) == Some(&(end, Content::Map(map))) {
        return true;
    }
    let Some(writer) = plan.map(map).writer.map(|writer| &plan.steps[writer]) else { return false };
    let Some(JoinKind::Concat) = writer.join() else { return false };
    writer.inputs.iter().zip(plan.firsts(&writer.inputs)).all(|(branch, before)| {
        let (Some(before), Some(channels)) = (before.known(), channels(plan, *branch)) else { return false };
        has(plan, memory, *branch, first + before, first + before + channels)
    })
}

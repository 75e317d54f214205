//! Which maps are one memory: what works in place, what is some of the channels of a wider map, and backwards what has the
//! gradient of the map that it is joined into.

use crate::plan::{MapId, Plan, Run, Step};

/// Where a map lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    /// The map that has memory.
    pub(crate) base: MapId,
    /// The first of its channels that are the map's.
    pub(crate) first: u64,
    /// How many channels it has; 0 if all are the map's.
    pub(crate) stride: u64,
}

/// The map whose memory a map is: views and steps that work in place add none.
pub(crate) fn root(plan: &Plan, mut map: MapId) -> MapId {
    while let Some(writer) = plan.map(map).writer {
        let step = &plan.steps[writer];
        let added_up = |sum: &Step| sum.into.map(|branch| sum.inputs[branch]);
        map = match step.run {
            Run::View | Run::InPlace => step.input(),
            Run::Apart | Run::WithActivation => {
                match step.adds_to.map_or(added_up(step), |sum| added_up(&plan.steps[sum])) {
                    Some(branch) => branch,
                    None => return map,
                }
            }
        };
    }
    map
}

/// The map whose gradient a map's gradient is, as seen from the step that makes it: views have that of what they show, and
/// what works in place turns the one into the other.
pub(crate) fn cell(plan: &Plan, mut map: MapId) -> MapId {
    while let Some(writer) = plan.map(map).writer
        && matches!(plan.steps[writer].run, Run::View | Run::InPlace)
    {
        map = plan.steps[writer].input();
    }
    map
}

/// Where the values of a map lie.
pub(crate) fn home(plan: &Plan, map: MapId) -> Home {
    let (mut base, mut first, mut is_part) = (root(plan, map), 0, false);
    while let Some(part) = plan.map(base).part {
        (base, first, is_part) = (root(plan, part.of), first + part.first, true);
    }
    Home { base, first, stride: stride(plan, base, is_part) }
}

/// Where the gradient of a map lies.
pub(crate) fn gradient_home(plan: &Plan, map: MapId) -> Home {
    let (mut base, mut first, mut is_part) = (cell(plan, map), 0, false);
    loop {
        let map = plan.map(base);
        let of = match (map.part, map.shares) {
            (Some(part), _) => {
                (first, is_part) = (first + part.first, true);
                part.of
            }
            (None, Some(of)) => of,
            (None, None) => break,
        };
        base = cell(plan, of);
    }
    Home { base, first, stride: stride(plan, base, is_part) }
}

fn stride(plan: &Plan, base: MapId, is_part: bool) -> u64 {
    let [channels, ..] = plan.map(base).shape.sizes();
    channels.known().filter(|_| is_part).unwrap_or(0)
}

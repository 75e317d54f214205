//! Decides which maps around joins are one memory, so that nothing is copied: a sum is added up where a branch's map is, a
//! concatenation's branches write where their channels belong, and backwards branches have the gradient of what they were
//! joined into. Whatever cannot be so stays apart, and is copied.
//!
//! Each wish is tried, and taken back if a step would then read what another one has overwritten, or write the memory that it
//! reads.

use std::collections::BTreeMap;

use super::contents;
use super::fuse::only_reader;
use super::place::{Home, cell, gradient_home, home, root};
use crate::layers::{Folds, Reads};
use crate::plan::{INPUT, JoinKind, Kind, MapId, Operand, Part, Plan, Run, Step, StepId};
use crate::size::Size;

pub(crate) fn merge(plan: &mut Plan) {
    if plan.predicts {
        return merge_for_prediction(plan);
    }
    for step in 0..plan.steps.len() {
        if plan.steps[step].join() == Some(JoinKind::Add) {
            plan.steps[step].into = (0..plan.steps[step].inputs.len()).find(|branch| may_sum_in(plan, step, *branch));
            if !is_sound(plan) {
                plan.steps[step].into = None;
            }
        }
    }
    // From the last: what is widest is settled first.
    for step in (0..plan.steps.len()).rev() {
        if plan.steps[step].join() == Some(JoinKind::Concat) {
            place_branches(plan, step, is_sound);
        }
    }
    for step in (0..plan.steps.len()).rev() {
        if matches!(plan.steps[step].join(), Some(JoinKind::Add | JoinKind::Multiply)) || normalizes(&plan.steps[step])
        {
            share_gradients(plan, step);
        }
    }
}

/// The same where nothing goes backwards.
fn merge_for_prediction(plan: &mut Plan) {
    for step in 0..plan.steps.len() {
        if plan.steps[step].join() == Some(JoinKind::Add) {
            sum_up(plan, step);
        }
    }
    let concats: Vec<_> =
        (0..plan.steps.len()).rev().filter(|step| plan.steps[*step].join() == Some(JoinKind::Concat)).collect();
    // All wishes at once, as most of the time all can be; else each by itself.
    let before = plan.maps.clone();
    concats.iter().for_each(|concat| place_branches(plan, *concat, |_| true));
    if !is_sound(plan) {
        plan.maps = before;
        concats.iter().for_each(|concat| place_branches(plan, *concat, is_sound));
    }
}

/// Has a sum added up in the memory of a branch, to which the steps that make the others add where they can: in the memory
/// of that one to which the most do.
fn sum_up(plan: &mut Plan, sum: StepId) {
    let inputs = plan.steps[sum].inputs.clone();
    let alone = |plan: &Plan, branch: usize| {
        inputs.iter().filter(|other| root(plan, **other) == root(plan, inputs[branch])).count() == 1
    };
    let mut best: Option<(usize, Vec<StepId>)> = None;
    for into in (0..inputs.len()).filter(|branch| alone(plan, *branch)).collect::<Vec<_>>() {
        plan.steps[sum].into = Some(into);
        if is_sound(plan) {
            let mut adders = Vec::new();
            for branch in (0..inputs.len()).filter(|branch| *branch != into) {
                let Some(adder) = adder(plan, sum, inputs[branch]) else { continue };
                plan.steps[adder].adds_to = Some(sum);
                if is_sound(plan) {
                    adders.push(adder);
                } else {
                    plan.steps[adder].adds_to = None;
                }
            }
            adders.iter().for_each(|adder| plan.steps[*adder].adds_to = None);
            if best.as_ref().is_none_or(|(_, best)| adders.len() > best.len()) {
                best = Some((into, adders));
            }
        }
        plan.steps[sum].into = None;
    }
    if let Some((into, adders)) = best {
        plan.steps[sum].into = Some(into);
        adders.iter().for_each(|adder| plan.steps[*adder].adds_to = Some(sum));
    }
}

/// The step that makes a branch of a sum, if it can add to what others made of the sum, and nobody else wants its map.
fn adder(plan: &Plan, sum: StepId, branch: MapId) -> Option<StepId> {
    let (mut map, mut reader) = (branch, sum);
    if plan.steps[sum].inputs.iter().filter(|other| **other == branch).count() > 1 {
        return None;
    }
    loop {
        if only_reader(plan, map) != Some(reader) {
            return None;
        }
        let writer = plan.map(map).writer?;
        let step = &plan.steps[writer];
        match step.run {
            Run::View if step.activation().is_none() => (map, reader) = (step.input(), writer),
            Run::Apart => return step.row().is_some_and(|row| matches!(row.folds, Folds::Behind)).then_some(writer),
            _ => return None,
        }
    }
}

/// Whether nobody but a sum needs the map of a branch, not even the steps that made it for their backward passes.
fn may_sum_in(plan: &Plan, sum: StepId, branch: usize) -> bool {
    let inputs = &plan.steps[sum].inputs;
    let mut map = inputs[branch];
    if inputs.iter().filter(|other| root(plan, **other) == root(plan, map)).count() > 1 {
        return false;
    }
    loop {
        let [_] = plan.map(map).readers[..] else { return false };
        let Some(writer) = plan.map(map).writer else { return false };
        let writer = &plan.steps[writer];
        let reads = match writer.run {
            Run::View => Reads::Nothing,
            Run::WithActivation if !writer.reads_output_backwards() => Reads::Nothing,
            Run::WithActivation => Reads::Values,
            Run::Apart | Run::InPlace => match &writer.kind {
                Kind::Layer { row, .. } => row.backward_reads,
                Kind::Custom(_) => Reads::Values,
                // Branches of a concatenation are others' maps.
                Kind::Join(join) if join.kind == JoinKind::Concat => Reads::Values,
                Kind::Map(mapped) if mapped.expression.reads_value => Reads::Values,
                Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => Reads::Nothing,
            },
        };
        if reads != Reads::Nothing {
            return false;
        }
        if writer.runs() {
            return true;
        }
        map = writer.input();
    }
}

/// Has the branches of a concatenation write into it, where they can.
fn place_branches(plan: &mut Plan, concat: StepId, is_sound: impl Fn(&Plan) -> bool) {
    let step = &plan.steps[concat];
    let (whole, inputs) = (step.output, step.inputs.clone());
    let Some(channels) = inputs.iter().map(|map| plan.map(*map).shape.sizes()[0].known()).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    if !plan.map(whole).shape.is_known() {
        return;
    }
    let mut first = 0;
    for (map, channels) in inputs.iter().zip(channels) {
        let part = Part { of: whole, first };
        first += channels;
        // A sum is as well written apart from its branches as in one of them, where no step adds to it before.
        let base = if plan.predicts { root(plan, *map) } else { cell(plan, *map) };
        let sum = plan.map(base).writer;
        let into = sum.and_then(|sum| plan.steps[sum].into.take());
        if base != INPUT && plan.map(base).part.is_none() && may_be_part(plan, base, *map, concat) {
            plan.maps[base.0].part = Some(part);
            if is_sound(plan) {
                continue;
            }
            plan.maps[base.0].part = None;
        }
        if let Some(sum) = sum {
            plan.steps[sum].into = into;
        }
    }
}

/// Whether all steps that make or read a memory take it as some of the channels of a wider one, and the last of them is the
/// concatenation: later ones would write its gradient before there is that of the whole.
fn may_be_part(plan: &Plan, base: MapId, branch: MapId, concat: StepId) -> bool {
    let members = (0..plan.maps.len()).map(MapId).filter(|map| root(plan, *map) == base);
    members.into_iter().all(|map| {
        let strided = |step: &StepId| takes_parts(plan, &plan.steps[*step], map);
        let map = plan.map(map);
        map.writer.iter().chain(&map.readers).all(strided)
            && (plan.predicts || map.readers.last().is_none_or(|last| *last <= concat))
    }) && (plan.predicts || plan.map(branch).readers.last() == Some(&concat))
}

fn takes_parts(plan: &Plan, step: &Step, map: MapId) -> bool {
    match &step.kind {
        Kind::Layer { row, .. } if step.run == Run::View && !row.strided => {
            // The same rows, of a map that is one cell.
            let [input, output] = [step.input(), step.output].map(|map| plan.map(map).shape.sizes());
            input[0].known().is_some() && input[0].known() == output[0].known()
        }
        Kind::Layer { row, .. } => row.strided,
        Kind::Custom(_) | Kind::Take { .. } => false,
        // What meets many is all of its map.
        Kind::Map(mapped) => {
            let is = |(operand, input): (&Operand, &MapId)| *input != map || operand.is_whole();
            mapped.operands.iter().zip(&step.inputs).all(is)
        }
        Kind::Join(join) if matches!(join.kind, JoinKind::Matmul | JoinKind::Outputs) => false,
        // A gate is all of its map.
        Kind::Join(join) if join.kind == JoinKind::Multiply => {
            let cells = |map: MapId| plan.map(map).shape.sizes()[1..].iter().map(Size::known).collect::<Vec<_>>();
            map == step.output || cells(map) == cells(step.output)
        }
        Kind::Join(_) => true,
    }
}

/// Whether it is a normalization, which makes the gradient of its input of that of its output in place: it reads a value of it
/// once, and writes it where it was.
fn normalizes(step: &Step) -> bool {
    step.runs() && step.is_batch_norm()
}

/// Has branches of a sum, one factor of a product, or what is normalized the gradient of what it becomes.
fn share_gradients(plan: &mut Plan, join: StepId) {
    let (whole, inputs) = (plan.steps[join].output, plan.steps[join].inputs.clone());
    let is_product = plan.steps[join].join() == Some(JoinKind::Multiply);
    for (branch, map) in inputs.iter().enumerate() {
        let base = cell(plan, *map);
        let alone = inputs.iter().enumerate().all(|(other, map)| other == branch || cell(plan, *map) != base);
        let as_large = plan.map(*map).shape.is_known()
            && plan.map(*map).shape.known_len() == plan.map(whole).shape.known_len()
            && home(plan, *map).stride == gradient_home(plan, whole).stride;
        let beside = !normalizes(&plan.steps[join]) || home(plan, *map).stride == home(plan, whole).stride;
        let free = beside && plan.map(base).part.is_none() && plan.map(base).shares.is_none() && base != INPUT;
        if !(alone && as_large && free && last_reader(plan, base) == Some(join)) {
            continue;
        }
        plan.maps[base.0].shares = Some(whole);
        if !is_sound(plan) {
            plan.maps[base.0].shares = None;
        } else if is_product {
            return;
        }
    }
}

/// The last step that reads a map or what is made of it in place.
fn last_reader(plan: &Plan, base: MapId) -> Option<StepId> {
    let members = (0..plan.maps.len()).map(MapId).filter(|map| cell(plan, *map) == base);
    members.filter_map(|map| plan.map(map).readers.iter().rev().find(|step| plan.steps[**step].runs())).max().copied()
}

/// Whether no step writes the memory that it reads, and no gradient is overwritten before its last reader.
fn is_sound(plan: &Plan) -> bool {
    if plan.predicts {
        return contents::are_kept(plan);
    }
    plan.steps.iter().all(|step| !step.runs() || apart(plan, step)) && gradients_last(plan)
}

/// Whether what a step reads and what it writes is not one memory, forward and backward, but where it has to do nothing.
fn apart(plan: &Plan, step: &Step) -> bool {
    let (whole, grad_whole) = (home(plan, step.output), gradient_home(plan, step.output));
    let mut first = 0;
    step.inputs.iter().enumerate().all(|(branch, map)| {
        let channels = plan.map(*map).shape.sizes()[0].known().unwrap_or(0);
        let (from, grad) = (home(plan, *map), gradient_home(plan, *map));
        let in_place = match step.join() {
            Some(JoinKind::Add) => step.into == Some(branch),
            Some(JoinKind::Concat) => plan.map(root(plan, *map)).part == Some(Part { of: step.output, first }),
            _ => false,
        };
        let grad_in_place = match step.join() {
            Some(JoinKind::Concat) => in_place,
            _ => plan.map(cell(plan, *map)).shares == Some(step.output),
        };
        first += channels;
        (in_place || from.base != whole.base) && (grad_in_place || grad.base != grad_whole.base)
    })
}

/// The life of a gradient, on the way back: from the step that is the first to write it to the one that made its map.
struct Life {
    home: Home,
    channels: u64,
    born: usize,
    /// 0 is that of the network's input, which outlives all steps; of others it is one more than the step's number.
    died: usize,
    /// The steps that write it after the first, counted as `died`.
    writes: Vec<usize>,
}

/// Whether, of gradients in one memory, none is written while another is still to be read.
fn gradients_last(plan: &Plan) -> bool {
    let mut lives: BTreeMap<MapId, Vec<Life>> = BTreeMap::new();
    let mut written: BTreeMap<MapId, Vec<usize>> = BTreeMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let maps = if step.runs() { step.inputs.as_slice() } else { std::slice::from_ref(&step.output) };
        let changes = step.runs() || step.run == Run::InPlace;
        maps.iter().filter(|_| changes).for_each(|map| written.entry(cell(plan, *map)).or_default().push(index + 1));
    }
    for (map, mut writes) in written {
        let home = gradient_home(plan, map);
        let born = writes.iter().max().copied().unwrap_or(0);
        writes.retain(|step| *step != born);
        let died = plan.map(map).writer.map_or(0, |writer| writer + 1);
        if plan.map(map).writer.is_some_and(|writer| spoils(plan, &plan.steps[writer])) {
            writes.push(died);
        }
        let channels = plan.map(map).shape.sizes()[0].known().unwrap_or(u64::MAX);
        lives.entry(home.base).or_default().push(Life { home, channels, born, died, writes });
    }
    lives.values().all(|lives| {
        lives.iter().enumerate().all(|(index, one)| lives[index + 1..].iter().all(|other| one.suffers(other)))
    })
}

impl Life {
    /// Whether two gradients can share memory as they do.
    fn suffers(&self, other: &Self) -> bool {
        let end = |life: &Self| life.home.first.saturating_add(life.channels);
        let beside = end(self) <= other.home.first || end(other) <= self.home.first;
        let both = self.born.min(other.born);
        // A step that reads the one and writes the other reads what it has written.
        let disturbs = |one: &Self, other: &Self| one.writes.iter().any(|step| *step >= other.died && *step < both);
        beside || self.died.max(other.died) >= both || !(disturbs(self, other) || disturbs(other, self))
    }
}

/// Whether a step changes the gradient of what it made.
pub(crate) fn spoils(plan: &Plan, step: &Step) -> bool {
    match &step.kind {
        Kind::Layer { .. } if plan.map(cell(plan, step.input())).shares == Some(step.output) => true,
        Kind::Layer { row, .. } if step.run == Run::WithActivation => row.activation_reads_output,
        Kind::Layer { row, .. } => row.spoils_gradient,
        Kind::Custom(_) => true,
        Kind::Map(_) | Kind::Take { .. } => false,
        Kind::Join(_) if step.run == Run::WithActivation => true,
        Kind::Join(_) => step.inputs.iter().any(|map| {
            step.join() == Some(JoinKind::Multiply) && plan.map(cell(plan, *map)).shares == Some(step.output)
        }),
    }
}

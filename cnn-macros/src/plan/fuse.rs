//! Decides how each step runs: what the step before does by the way, what is only a view, what works in place.

use std::collections::HashSet;

use super::place::{cell, root};
use crate::layers::{Applied, Arguments, Reads};
use crate::plan::{INPUT, JoinKind, Kind, MapId, Plan, Run, Step, StepId};
use crate::size::{Shape, Size};

pub(crate) fn fuse(plan: &mut Plan) {
    for step in 0..plan.steps.len() {
        if plan.steps[step].activation().is_some() {
            fuse_activation(plan, step);
        } else if plan.steps[step].is("flatten") && is_view(plan, step) || is_factor(plan, step) {
            plan.steps[step].run = Run::View;
        }
    }
    // What the network makes is apart from what it gets.
    if root(plan, plan.output) == INPUT
        && let Some(last) = plan.map(plan.output).writer
    {
        plan.steps[last].run = Run::Apart;
    }
    for step in 0..plan.steps.len() {
        if may_work_in_place(plan, step) {
            plan.steps[step].run = Run::InPlace;
        }
    }
    if plan.predicts {
        for step in 0..plan.steps.len() {
            fuse_convolution(plan, step);
        }
    } else {
        order_gradients(plan);
    }
}

/// Who is the first to write a map's gradient, and who adds to it.
fn order_gradients(plan: &mut Plan) {
    let mut written = HashSet::new();
    for step in (0..plan.steps.len()).rev() {
        if plan.steps[step].runs() {
            let inputs = plan.steps[step].inputs.iter();
            plan.steps[step].adds = inputs.map(|map| !written.insert(cell(plan, *map))).collect();
        }
    }
}

/// Channels of the map that was flattened, without moving values, into what a step reads; all features if none was.
pub(crate) fn flattened_channels(plan: &Plan, step: StepId) -> Size {
    let mut map = plan.steps[step].input();
    let [all, ..] = plan.map(map).shape.sizes();
    while let Some(writer) = plan.map(map).writer {
        let step = &plan.steps[writer];
        map = step.input();
        let shape = &plan.map(map).shape;
        if step.is("flatten") && step.run == Run::View && !matches!(shape, Shape::Flat(_)) {
            let [channels, ..] = shape.sizes();
            return channels;
        }
        if !keeps_positions(plan, writer) {
            break;
        }
    }
    all
}

/// Whether a step does the same to every value, wherever it stands.
fn keeps_positions(plan: &Plan, step: StepId) -> bool {
    let step = &plan.steps[step];
    let is_map_of_one = matches!(step.kind, Kind::Map(_)) && step.inputs.len() == 1;
    step.row().is_some_and(|row| row.in_place) || step.is("flatten") && step.run == Run::View || is_map_of_one
}

/// The only step that reads a map which is not the network's output.
pub(super) fn only_reader(plan: &Plan, map: MapId) -> Option<StepId> {
    match plan.map(map).readers.as_slice() {
        [reader] if map != plan.output => Some(*reader),
        _ => None,
    }
}

fn fuse_activation(plan: &mut Plan, activation: StepId) {
    let (mut reader, mut input) = (activation, plan.steps[activation].input());
    // A predictor sees through what is a view there, such as a normalization in the weights before it.
    while plan.predicts
        && let Some(writer) = plan.map(input).writer
        && plan.steps[writer].run == Run::View
        && only_reader(plan, input) == Some(reader)
    {
        (reader, input) = (writer, plan.steps[writer].input());
    }
    if only_reader(plan, input) != Some(reader) {
        return;
    }
    if let Some(writer) = plan.map(input).writer
        && plan.steps[writer].run == Run::Apart
        && may_apply(plan, writer, activation)
    {
        plan.steps[writer].run = Run::WithActivation;
        plan.steps[activation].run = Run::View;
    }
}

/// Whether a step can apply an activation: on the way back, what that got is not there any more.
fn may_apply(plan: &Plan, step: StepId, activation: StepId) -> bool {
    let tells_slope = plan.predicts || !plan.steps[activation].reads_input_backwards(0);
    match plan.steps[step].row() {
        Some(row) => row.fuses_activation && (tells_slope || !row.activation_reads_output),
        None => plan.steps[step].join() == Some(JoinKind::Add) && tells_slope,
    }
}

/// A predictor's pooling computes the convolution before it, if nobody else reads that and there is such a kernel:
/// `cnn_core::kernel::convolution::pooled`.
fn fuse_convolution(plan: &mut Plan, pool: StepId) {
    let step = &plan.steps[pool];
    let (Kind::Layer { row, arguments: pooling }, Run::Apart) = (&step.kind, step.run) else { return };
    let (mut reader, mut map) = (pool, step.input());
    let convolution = loop {
        let writer = plan.map(map).writer.filter(|_| only_reader(plan, map) == Some(reader));
        match writer {
            Some(writer) if plan.steps[writer].run == Run::View => (reader, map) = (writer, plan.steps[writer].input()),
            Some(writer) => break writer,
            None => return,
        }
    };
    let Step { kind: Kind::Layer { row: before, arguments }, run: Run::Apart | Run::WithActivation, .. } =
        &plan.steps[convolution]
    else {
        return;
    };
    let maps = [plan.steps[convolution].input(), map].map(|map| plan.map(map).shape.sizes().map(|size| size.known()));
    let applied = plan.applied(convolution).and_then(|step| plan.steps[step].activation());
    let in_registers = !matches!(applied, Some(Applied::Then));
    if row.name == "max_pool2d"
        && before.name == "conv2d"
        && is_small(arguments, maps)
        && quarters(pooling)
        && in_registers
    {
        plan.steps[convolution].pooled_by = Some(pool);
    }
}

/// Whether a convolution between these maps has few channels, and rows that fill vectors.
fn is_small(arguments: &Arguments, maps: [[Option<u64>; 3]; 2]) -> bool {
    let [[Some(in_channels), ..], [Some(out_channels), Some(rows), Some(columns)]] = maps else { return false };
    let is = |name: &str, least: u64, most: u64| {
        arguments.pair(name).iter().all(|size| size.known().is_some_and(|size| (least..=most).contains(&size)))
    };
    let few = in_channels <= 4 && out_channels <= 8 && arguments.count("groups").known() == Some(1);
    let plain = is("stride", 1, 1) && is("dilation", 1, 1) && is("kernel_size", 1, 16);
    let fills = rows > 1 && (2..=1024).contains(&columns) && columns * 4 >= columns.next_multiple_of(32) * 3;
    few && plain && fills && arguments.word("algorithm") != "winograd"
}

/// Whether a pooling leaves a quarter of the cells.
fn quarters(arguments: &Arguments) -> bool {
    let is = |name: &str, number: u64| arguments.pair(name).iter().all(|size| size.known() == Some(number));
    let plain = is("padding", 0) && is("dilation", 1) && !arguments.truth("ceil_mode");
    is("kernel_size", 2) && is("stride", 2) && plain
}

/// Whether `flatten` moves nothing: one channel or one position has the same order channels-last as PyTorch's, and a
/// linear layer that gets all of it keeps its weight in the map's order.
fn is_view(plan: &Plan, flatten: StepId) -> bool {
    let [channels, height, width] = plan.map(plan.steps[flatten].input()).shape.sizes().map(|size| size.known());
    if channels == Some(1) || (height, width) == (Some(1), Some(1)) {
        return true;
    }
    let mut map = plan.steps[flatten].output;
    while let Some(reader) = only_reader(plan, map) {
        let step = &plan.steps[reader];
        if step.is("linear") {
            return true;
        }
        if !step.is("flatten") && !keeps_positions(plan, reader) {
            return false;
        }
        map = step.output;
    }
    false
}

/// Whether a step transposes what only a product of matrices reads, which can read the rows of the one as columns of the other.
fn is_factor(plan: &Plan, transpose: StepId) -> bool {
    let reader = only_reader(plan, plan.steps[transpose].output).filter(|_| plan.steps[transpose].is("transpose"));
    reader.is_some_and(|reader| plan.steps[reader].join() == Some(JoinKind::Matmul))
}

/// A step may change its input if nobody looks at it again: no other reader, and no step that wrote it and needs it for
/// its backward pass. The network's input is the caller's.
fn may_work_in_place(plan: &Plan, step: StepId) -> bool {
    let row = plan.steps[step].row();
    let can = if plan.predicts { plan.steps[step].predicts_in_place() } else { row.is_some_and(|row| row.in_place) };
    if plan.steps[step].run != Run::Apart || !can {
        return false;
    }
    let mut map = plan.steps[step].input();
    if only_reader(plan, map) != Some(step) {
        return false;
    }
    while let Some(index) = plan.map(map).writer {
        let writer = &plan.steps[index];
        let reads = match (writer.run, writer.join()) {
            (Run::View, _) => Reads::Nothing,
            // Parts of a concatenation may be other steps' maps.
            (_, join) if plan.predicts && join != Some(JoinKind::Concat) => Reads::Nothing,
            (Run::WithActivation, _) if !writer.reads_output_backwards() => Reads::Nothing,
            (Run::WithActivation, _) => {
                let activation = plan.applied(index).and_then(|activation| plan.steps[activation].row());
                activation.map_or(Reads::Values, |row| row.backward_reads)
            }
            (_, Some(JoinKind::Add | JoinKind::Multiply | JoinKind::Matmul)) => Reads::Nothing,
            _ if matches!(writer.kind, Kind::Map(_) | Kind::Take { .. }) => match writer.reads_output_backwards() {
                true => Reads::Values,
                false => Reads::Nothing,
            },
            // Parts of a concatenation may be other steps' maps.
            _ => writer.row().map_or(Reads::Values, |row| row.backward_reads),
        };
        if reads == Reads::Values || reads == Reads::Signs && !row.is_some_and(|row| row.keeps_signs) {
            return false;
        }
        if !matches!(writer.run, Run::View | Run::InPlace) {
            return true;
        }
        map = writer.input();
        if plan.map(map).readers.len() != 1 {
            return false;
        }
    }
    false
}

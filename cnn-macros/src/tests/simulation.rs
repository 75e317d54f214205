//! Random networks carried out twice, on numbers that say where they come from: once with memory for each map and each
//! gradient, once with the memory that the plan gives them. Whatever is read must be the same.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::rc::Rc;

use proptest::prelude::*;

use crate::plan::again::Rebuild;
use crate::plan::cut::{Cut, cuts};
use crate::plan::memory::{self, Memory, Place};
use crate::plan::place::{gradient_home, home, root};
use crate::plan::{INPUT, JoinKind, Kind, MapId, Part, Plan, Run, Step, StepId};
use crate::tests::plans;

/// A number that only this makes.
fn made_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn len(plan: &Plan, map: MapId) -> usize {
    usize::try_from(plan.map(map).shape.known_len().unwrap()).unwrap()
}

fn channels(plan: &Plan, map: MapId) -> usize {
    usize::try_from(plan.map(map).shape.sizes()[0].known().unwrap()).unwrap()
}

/// Whose places.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Values,
    Gradients,
}

/// Where the values of maps, or their gradients, are.
struct Store<'a> {
    plan: &'a Plan,
    what: What,
    /// None gives each map memory of its own.
    memory: Option<&'a Memory>,
    input: Vec<u64>,
    output: Vec<u64>,
    /// Of maps, if each has some.
    own: Vec<Vec<u64>>,
    /// What the plan places.
    shared: Rc<RefCell<Vec<u64>>>,
    /// Whether it is the way back.
    backwards: bool,
}

impl<'a> Store<'a> {
    /// With garbage wherever nothing is written yet.
    fn new(plan: &'a Plan, memory: Option<&'a Memory>, what: What) -> Self {
        let maps = if memory.is_some() { 0 } else { plan.maps.len() };
        let shared = memory.map_or(0, |memory| usize::try_from(memory.placed).unwrap());
        // Gradients of maps of their own are added up.
        let garbage = if memory.is_some() { 0x9e37_79b9_7f4a_7c15_u64 } else { 0 };
        let fill = |len: usize| (0..len).map(|index| garbage.wrapping_mul(index as u64 + 1)).collect::<Vec<_>>();
        Self {
            plan,
            what,
            memory,
            input: fill(len(plan, INPUT)),
            output: fill(len(plan, plan.output)),
            own: (0..maps).map(|map| fill(len(plan, MapId(map)))).collect(),
            shared: Rc::new(RefCell::new(fill(shared))),
            backwards: false,
        }
    }

    /// The gradients in the memory that these values are in.
    fn gradients(&self) -> Self {
        let gradients = Self::new(self.plan, self.memory, What::Gradients);
        Self { shared: Rc::clone(&self.shared), ..gradients }
    }

    /// Calls `body` with the memory that a map is in, and its places there: cell by cell, channels last.
    fn with<R>(&mut self, map: MapId, body: impl FnOnce(&mut [u64], Vec<usize>) -> R) -> R {
        let len = len(self.plan, map);
        let Some(memory) = self.memory else { return body(&mut self.own[map.0], (0..len).collect()) };
        let channels = channels(self.plan, map);
        let (home, place) = match self.what {
            What::Values => {
                let home = home(self.plan, map);
                (home, if self.backwards { memory.place_backwards(home.base) } else { memory.place(home.base) })
            }
            What::Gradients => {
                let home = gradient_home(self.plan, map);
                (home, memory.gradient_place(home.base))
            }
        };
        let [first, stride] = [home.first, home.stride].map(|number| usize::try_from(number).unwrap());
        let stride = if stride > 0 { stride } else { channels };
        let places = (0..len).map(|index| first + index / channels * stride + index % channels).collect();
        match place {
            Place::Input => body(&mut self.input, places),
            Place::Output => body(&mut self.output, places),
            Place::Block(block) => body(&mut self.shared.borrow_mut()[range(memory, block)], places),
        }
    }

    fn read(&mut self, map: MapId) -> Vec<u64> {
        self.with(map, |values, places| places.into_iter().map(|place| values[place]).collect())
    }

    fn write(&mut self, map: MapId, new: &[u64]) {
        self.with(map, |values, places| places.into_iter().zip(new).for_each(|(place, new)| values[place] = *new));
    }

    /// Takes all that is in the memory of a map from where another pass left it.
    fn fetch(&mut self, from: &Store<'_>, base: MapId) {
        let [from_memory, to_memory] = [from.memory, self.memory].map(|memory| memory.expect("it is the plan's"));
        let to = if self.backwards { to_memory.place_backwards(base) } else { to_memory.place(base) };
        let (Place::Block(from_block), Place::Block(to_block)) = (from_memory.place(base), to) else {
            panic!("it has memory")
        };
        let left = from.shared.borrow()[range(from_memory, from_block)].to_vec();
        self.shared.borrow_mut()[range(to_memory, to_block)].copy_from_slice(&left);
    }

    fn add(&mut self, map: MapId, more: &[u64]) {
        let add = |(place, more): (&mut u64, &u64)| *place = place.wrapping_add(*more);
        let mut sums = self.read(map);
        sums.iter_mut().zip(more).for_each(add);
        self.write(map, &sums);
    }
}

/// The values of a block.
fn range(memory: &Memory, block: usize) -> Range<usize> {
    let block = &memory.blocks[block];
    let [first, len] = [block.first, block.len.known()].map(|number| usize::try_from(number.unwrap()).unwrap());
    first..first + len
}

/// Whether a branch of a concatenation is where it belongs from the start.
fn lies_in(plan: &Plan, step: &Step, map: MapId, first: usize) -> bool {
    plan.map(root(plan, map)).part == Some(Part { of: step.output, first: first as u64 })
}

/// The values of one of the branches in the order of a concatenation, with each its place there.
fn in_concat(plan: &Plan, step: &Step, map: MapId, first: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (channels, all, len) = (channels(plan, map), channels(plan, step.output), len(plan, map));
    (0..len).map(move |index| (index, index / channels * all + first + index % channels))
}

fn firsts(plan: &Plan, step: &Step) -> Vec<usize> {
    let firsts = plan.firsts(&step.inputs).into_iter();
    firsts.map(|first| usize::try_from(first.known().unwrap()).unwrap()).collect()
}

/// The values of each sample that an input is.
fn taken(plan: &Plan, step: &Step) -> Option<Range<usize>> {
    let Kind::Take { first } = &step.kind else { return None };
    let first = usize::try_from(first.known().unwrap()).unwrap();
    Some(first..first + len(plan, step.output))
}

/// Where the maps of outputs begin.
fn offsets(plan: &Plan, step: &Step) -> Vec<usize> {
    let offsets = plan.offsets(&step.inputs).into_iter();
    offsets.map(|first| usize::try_from(first.known().unwrap()).unwrap()).collect()
}

/// The factor of a product that meets a value of it.
fn factor(plan: &Plan, step: &Step, branch: usize, index: usize) -> usize {
    if len(plan, step.inputs[branch]) == len(plan, step.output) { index } else { index % channels(plan, step.output) }
}

fn forward(plan: &Plan, store: &mut Store<'_>) {
    forward_steps(plan, 0..plan.steps.len(), store);
}

fn forward_steps(plan: &Plan, steps: Range<StepId>, store: &mut Store<'_>) {
    steps.for_each(|index| forward_step(plan, index, store));
}

fn forward_step(plan: &Plan, index: StepId, store: &mut Store<'_>) {
    let step = &plan.steps[index];
    if !step.runs() {
        // What is seen otherwise is where it is.
        if step.run == Run::View && store.memory.is_some() {
            return;
        }
        let values = store.read(step.input());
        match step.run {
            Run::View => store.write(step.output, &values),
            _ => {
                let made = |(at, value): (usize, &u64)| made_of(("in place", index, at, value));
                store.write(step.output, &values.iter().enumerate().map(made).collect::<Vec<_>>());
            }
        }
        return;
    }
    if store.memory.is_some() && step.pooled_by.is_some() {
        return;
    }
    let mut inputs: Vec<_> = plan.reads(index).iter().map(|map| store.read(*map)).collect();
    match plan.pools(index) {
        Some(convolution) if store.memory.is_some() => {
            let map = plan.steps[convolution].output;
            inputs = vec![(0..len(plan, map)).map(|at| made_of(("layer", convolution, at, &inputs))).collect()];
        }
        Some(_) => inputs = vec![store.read(step.input())],
        None => {}
    }
    let rectified = |(_, sum): (usize, &u64)| made_of(("relu", step.adds_to.unwrap_or(index), sum));
    if store.memory.is_some() && step.adds_to.is_some() {
        let made: Vec<_> = (0..len(plan, step.output)).map(|at| made_of(("layer", index, at, &inputs))).collect();
        store.add(step.output, &made);
        if plan.applied(index).is_some() {
            let sums = store.read(step.output);
            store.write(step.output, &sums.iter().enumerate().map(rectified).collect::<Vec<_>>());
        }
        return;
    }
    if store.memory.is_some() && !plan.adders(index).is_empty() {
        // What was added is where the sum is; the last that adds to it rectifies it.
        let into = step.into.expect("it is added up somewhere");
        let mut sums = store.read(step.inputs[into]);
        for branch in plan.apart(index) {
            sums.iter_mut().zip(&inputs[branch]).for_each(|(sum, value)| *sum = sum.wrapping_add(*value));
        }
        if step.run == Run::WithActivation && plan.apart(index).next().is_some() {
            sums = sums.iter().enumerate().map(rectified).collect();
        }
        store.write(step.output, &sums);
        return;
    }
    let output = |made: &dyn Fn(usize) -> u64| (0..len(plan, step.output)).map(made).collect::<Vec<_>>();
    let made = match step.join() {
        Some(JoinKind::Add) => {
            let sum = |at: usize| inputs.iter().fold(0, |sum: u64, input| sum.wrapping_add(input[at]));
            let relu = step.run == Run::WithActivation;
            output(&|at| if relu { rectified((at, &sum(at))) } else { sum(at) })
        }
        Some(JoinKind::Multiply) => output(&|at| {
            let [a, b] = [0, 1].map(|branch| inputs[branch][factor(plan, step, branch, at)]);
            made_of(("product", a, b))
        }),
        Some(JoinKind::Concat) => {
            let mut whole = store.read(step.output);
            for ((map, first), input) in step.inputs.iter().zip(firsts(plan, step)).zip(&inputs) {
                if store.memory.is_none() || !lies_in(plan, step, *map, first) {
                    in_concat(plan, step, *map, first).for_each(|(from, to)| whole[to] = input[from]);
                }
            }
            whole
        }
        Some(JoinKind::Outputs) => inputs.concat(),
        Some(JoinKind::Matmul) | None => match taken(plan, step) {
            Some(taken) => inputs[0][taken].to_vec(),
            None => output(&|at| made_of(("layer", index, at, &inputs))),
        },
    };
    store.write(step.output, &made);
}

/// The map that is in a map's memory in the end: steps that work in place may leave no more than its signs.
fn left(plan: &Plan, mut map: MapId) -> MapId {
    let changes = |step: &&StepId| matches!(plan.steps[**step].run, Run::View | Run::InPlace);
    while let Some(step) = plan.map(map).readers.iter().find(changes) {
        map = plan.steps[*step].output;
    }
    map
}

/// What the steps see on the way back, behind a cut if there is one, before which the maps are as they were left.
fn backward(
    plan: &Plan,
    values: &mut Store<'_>,
    gradients: &mut Store<'_>,
    cut: Option<(&Cut, &Store<'_>)>,
) -> Vec<(StepId, u64)> {
    let mut seen = Vec::new();
    values.backwards = true;
    let first = cut.map_or(0, |(cut, _)| cut.step);
    for (index, step) in plan.steps.iter().enumerate().skip(first).rev() {
        let again = values.memory.map(|memory| memory.again_before(memory::backwards(plan, index)));
        for Rebuild { base, steps, .. } in again.into_iter().flatten() {
            match cut.filter(|(cut, _)| cut.maps.contains(base)) {
                Some((_, left)) => values.fetch(left, *base),
                None => steps.iter().for_each(|index| forward_step(plan, *index, values)),
            }
        }
        let grad = gradients.read(step.output);
        let output = step.reads_output_backwards().then(|| values.read(left(plan, step.output)));
        // A view does nothing; what it shows may be others' already.
        if step.run != Run::View {
            seen.push((index, made_of((&grad, &output))));
        }
        match step.run {
            Run::View if gradients.memory.is_some() => continue,
            Run::View => {
                gradients.add(step.input(), &grad);
                continue;
            }
            Run::InPlace => {
                let made = |(at, grad): (usize, &u64)| {
                    made_of(("in place", index, at, grad, output.as_ref().map(|output| output[at])))
                };
                gradients.write(step.input(), &grad.iter().enumerate().map(made).collect::<Vec<_>>());
                continue;
            }
            Run::Apart | Run::WithActivation => {}
        }
        let grad = match step.join() {
            Some(JoinKind::Add) if step.run == Run::WithActivation => {
                let grad: Vec<_> = grad.iter().map(|grad| made_of(("relu", index, grad))).collect();
                gradients.write(step.output, &grad);
                grad
            }
            _ => grad,
        };
        let inputs: Vec<_> = step.inputs_read_backwards().map(|map| values.read(map)).collect();
        seen.push((index, made_of(&inputs)));
        if let Some(taken) = taken(plan, step) {
            let mut all = gradients.read(INPUT);
            all[taken].copy_from_slice(&grad);
            gradients.write(INPUT, &all);
            continue;
        }
        let (firsts, offsets) = (firsts(plan, step), offsets(plan, step));
        let mut shared = None;
        for (branch, map) in step.inputs.iter().enumerate() {
            let made = match step.join() {
                Some(JoinKind::Add) => grad.clone(),
                Some(JoinKind::Multiply) => {
                    let mut made = vec![0_u64; len(plan, *map)];
                    for (at, grad) in grad.iter().enumerate() {
                        let other = inputs[1 - branch][factor(plan, step, 1 - branch, at)];
                        let sum = &mut made[factor(plan, step, branch, at)];
                        *sum = sum.wrapping_add(made_of(("product", grad, other)));
                    }
                    made
                }
                Some(JoinKind::Concat) => {
                    in_concat(plan, step, *map, firsts[branch]).map(|(_, from)| grad[from]).collect()
                }
                Some(JoinKind::Outputs) => grad[offsets[branch]..][..len(plan, *map)].to_vec(),
                Some(JoinKind::Matmul) | None => (0..len(plan, *map))
                    .map(|at| made_of(("layer", index, at, branch, &grad, &inputs, &output)))
                    .collect(),
            };
            if gradients.memory.is_some() {
                let join = step.join();
                let cell = crate::plan::place::cell(plan, *map);
                if join == Some(JoinKind::Concat) && lies_in(plan, step, *map, firsts[branch]) {
                    continue;
                }
                if join != Some(JoinKind::Concat) && plan.map(cell).shares == Some(step.output) {
                    shared = Some((*map, made)).filter(|_| join != Some(JoinKind::Add)).or(shared);
                    continue;
                }
                // A user's layer that cannot add stores elsewhere first.
                if let Some(memory) = gradients.memory
                    && let Some(block) = memory.apart(index)
                {
                    gradients.shared.borrow_mut()[range(memory, block)].copy_from_slice(&made);
                }
                if !step.adds[branch] {
                    gradients.write(*map, &made);
                    continue;
                }
            }
            gradients.add(*map, &made);
        }
        if gradients.memory.is_some() {
            if let Some((map, made)) = shared {
                gradients.write(map, &made);
            } else if crate::plan::merge::spoils(plan, step) && step.join().is_none() {
                let garbage: Vec<_> = grad.iter().map(|grad| made_of(("spoiled", index, grad))).collect();
                // Only where nothing that the step wrote is: its input's gradient is elsewhere, or wrong from here on.
                gradients.write(step.output, &garbage);
            }
        }
    }
    seen
}

/// The same numbers come out in the plan's memory as in memory of their own.
fn check_forward(plan: &Plan, memory: &Memory) -> Result<(), TestCaseError> {
    let input: Vec<_> = (0..len(plan, INPUT)).map(|at| made_of(("input", at))).collect();
    let [apart, together] = [None, Some(memory)].map(|memory| {
        let mut store = Store::new(plan, memory, What::Values);
        store.write(INPUT, &input);
        forward(plan, &mut store);
        [store.read(plan.output), store.read(INPUT)]
    });
    prop_assert_eq!(&apart, &together, "the output, and the input, which is its caller's");
    Ok(())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let [plan, predictor] = plans(text);
    check_forward(&predictor, &memory::evaluation(&predictor))?;
    check_forward(&plan, &memory::evaluation(&plan))?;
    for training in [memory::training(&plan), memory::training_within(&plan, u128::MAX)] {
        check_training(&plan, &training)?;
        let evaluation = memory::evaluation(&plan);
        cuts(&plan, &evaluation, &training).iter().try_for_each(|cut| check_cut(&plan, &evaluation, &training, cut))?;
    }
    Ok(())
}

/// What is behind a cut sees the same as if nothing had been cut.
fn check_cut(plan: &Plan, evaluation: &Memory, training: &Memory, cut: &Cut) -> Result<(), TestCaseError> {
    let [mut expected, mut before, mut behind] =
        [None, Some(evaluation), Some(training)].map(|memory| Store::new(plan, memory, What::Values));
    let input: Vec<_> = (0..len(plan, INPUT)).map(|at| made_of(("input", at))).collect();
    for store in [&mut expected, &mut before, &mut behind] {
        store.write(INPUT, &input);
    }
    forward(plan, &mut expected);
    forward_steps(plan, 0..cut.step, &mut before);
    // The output is one for both.
    behind.output.copy_from_slice(&before.output);
    cut.maps.iter().for_each(|map| behind.fetch(&before, *map));
    forward_steps(plan, cut.step..plan.steps.len(), &mut behind);
    prop_assert_eq!(expected.read(plan.output), behind.read(plan.output), "the output");
    let seed: Vec<_> = (0..len(plan, plan.output)).map(|at| made_of(("grad_output", at))).collect();
    let [mut grads, mut shared] = [&expected, &behind].map(Store::gradients);
    for gradients in [&mut grads, &mut shared] {
        gradients.write(plan.output, &seed);
    }
    let seen = backward(plan, &mut expected, &mut grads, None);
    let found = backward(plan, &mut behind, &mut shared, Some((cut, &before)));
    for (found, seen) in found.iter().zip(&seen) {
        prop_assert_eq!(found, seen, "what step {} sees behind a cut before step {}", seen.0, cut.step);
    }
    Ok(())
}

fn check_training(plan: &Plan, training: &Memory) -> Result<(), TestCaseError> {
    check_forward(plan, training)?;
    let input: Vec<_> = (0..len(plan, INPUT)).map(|at| made_of(("input", at))).collect();
    let [mut expected, mut values] = [None, Some(training)].map(|memory| Store::new(plan, memory, What::Values));
    for store in [&mut expected, &mut values] {
        store.write(INPUT, &input);
        forward(plan, store);
    }
    let seed: Vec<_> = (0..len(plan, plan.output)).map(|at| made_of(("grad_output", at))).collect();
    let [mut grads, mut shared] = [&expected, &values].map(Store::gradients);
    for gradients in [&mut grads, &mut shared] {
        gradients.write(plan.output, &seed);
    }
    let seen = backward(plan, &mut expected, &mut grads, None);
    let found = backward(plan, &mut values, &mut shared, None);
    for (found, seen) in found.iter().zip(&seen) {
        prop_assert_eq!(found, seen, "what step {} ({}) sees", seen.0, plan.steps[seen.0].path.clone());
    }
    prop_assert_eq!(shared.read(INPUT), grads.read(INPUT), "the gradient of the input");
    Ok(())
}

/// A part of a random network.
#[derive(Debug, Clone)]
enum Node {
    Layer(usize),
    Sequence(Vec<Node>),
    Join(usize, Vec<Node>),
}

/// Layers that keep a map of so many channels and 2 x 2 cells, but those with a `#`, which make some of another number.
const LAYERS: [&str; 39] = [
    "relu",
    "relu6",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "silu",
    "hardswish",
    "gelu",
    "leaky_relu(negative_slope = -0.5)",
    "prelu",
    "dropout",
    "dropout2d",
    "drop_path(p = 0.5)",
    "layer_scale",
    "parameter<#, 2, 2>",
    "softmax",
    "batch_norm2d",
    "layer_norm",
    "layer_norm(over = channels)",
    "group_norm<1>",
    "instance_norm2d",
    "rms_norm",
    "conv2d<#, 1>",
    "conv2d<#, 1>",
    "linear<#>(over = channels)",
    "conv2d<#, 3>(padding = 1)",
    "max_pool2d<1>",
    "avg_pool2d<1>",
    "upsample(scale_factor = 1)",
    "conv_transpose2d<#, 1>",
    "local_response_norm<3>",
    "zero_pad2d<0>",
    "Own",
    "adaptive_max_pool2d<2>",
    "map(|x| x * sigmoid(x))",
    "map(|x| tanh(x))",
    "map(|x| 2 * x)",
    // Of a map with a name, where there is one that meets it.
    "map(|x, @| x * @)",
    "map(|x, @| x + exp(@))",
];

/// What is written of a network, and the maps that have names there.
#[derive(Default)]
struct Written {
    names: usize,
    /// Those that are seen, and their channels.
    seen: Vec<(usize, usize)>,
    /// Those that a step reads.
    read: Vec<usize>,
}

impl Node {
    /// The node as it is written, and the channels that it makes of so many. Behind each step stands a mark for the name that its
    /// map may get.
    fn write(&self, channels: usize, written: &mut Written) -> (String, usize) {
        written.names += 1;
        let name = written.names;
        let (text, made) = match self {
            Self::Layer(number) => {
                let (layer, width) = (LAYERS[number % LAYERS.len()], 1 + number % 3);
                let made = if layer.contains('#') { width } else { channels };
                let meets = |(_, other): &&(usize, usize)| *other == channels || *other == 1;
                let wire = written.seen.iter().rev().filter(meets).nth(number % 2).copied();
                let layer = match wire.filter(|_| layer.contains('@')) {
                    Some((wire, _)) => {
                        written.read.push(wire);
                        layer.replace('@', &format!("w{wire}"))
                    }
                    None => layer.replace(", @", "").replace('@', "x"),
                };
                let claim = if layer == "Own" { format!(" => <{made}, 2, 2>") } else { String::new() };
                (format!("l{name}: {}{claim}", layer.replace('#', &width.to_string())), made)
            }
            Self::Sequence(nodes) => {
                let (mut text, mut made, seen) = (String::new(), channels, written.seen.len());
                for node in nodes {
                    let (step, channels) = node.write(made, written);
                    (text, made) = (text + &step + ", ", channels);
                }
                written.seen.truncate(seen);
                (format!("l{name}: [{text}]"), made)
            }
            Self::Join(kind, nodes) => {
                let seen = written.seen.len();
                let mut branches = Vec::new();
                for (index, node) in nodes.iter().enumerate() {
                    // Some branches begin with a map that was made before; the first reads what the join gets.
                    let wires = written.seen.len();
                    let wire = (index > 0 && wires > 0 && !(name + index).is_multiple_of(3))
                        .then(|| written.seen[(7 * name + kind) % wires]);
                    written.read.extend(wire.map(|(wire, _)| wire));
                    let (step, made) = node.write(wire.map_or(channels, |(_, channels)| channels), written);
                    branches.push((wire.map_or(step.clone(), |(wire, _)| format!("[w{wire}, {step}]")), made));
                    // What a branch names within itself is not seen behind it, nor is it where it has brackets around it.
                    written.seen.truncate(wires);
                }
                written.seen.truncate(seen);
                let all: usize = branches.iter().map(|(_, made)| made).sum();
                // Maps wider than this are slow, and show no more.
                let kind = if all > 9 { kind % 3 } else { kind % 4 };
                let join = match kind {
                    1 => "multiply",
                    2 if nodes.len() == 2 => "matmul",
                    3 => "concat",
                    _ => "add",
                };
                let mut text = String::new();
                for (index, (step, made)) in branches.into_iter().enumerate() {
                    // The second factor of a product may be a gate.
                    let gate = join == "multiply" && index == 1 && nodes.len() == 2 && name.is_multiple_of(2);
                    // A product of matrices may read the one or the other as its transpose.
                    let transposed = join == "matmul" && (name + index).is_multiple_of(2);
                    text += &match (join, made == channels) {
                        ("matmul", true) if transposed => format!("b{name}x{index}: [{step}, transpose], "),
                        ("concat", _) | (_, true) if !gate => format!("{step}, "),
                        _ if gate => {
                            format!(
                                "b{name}x{index}: [{step}, adaptive_avg_pool2d<1>, conv2d<{channels}, 1>, sigmoid], "
                            )
                        }
                        _ => format!("b{name}x{index}: [{step}, conv2d<{channels}, 1>], "),
                    };
                }
                (format!("l{name}: {join} {{ {text} }}"), if join == "concat" { all } else { channels })
            }
        };
        written.seen.push((name, made));
        (format!("{text}@{name}@"), made)
    }
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let node = (0_usize..1000).prop_map(Node::Layer).prop_recursive(4, 24, 4, |node| {
        prop_oneof![
            1 => prop::collection::vec(node.clone(), 0..4).prop_map(Node::Sequence),
            2 => (0_usize..4, prop::collection::vec(node, 1..4)).prop_map(|(kind, nodes)| Node::Join(kind, nodes)),
        ]
    });
    prop::collection::vec(node, 1..8)
}

fn network(nodes: &[Node], end: usize, inputs: usize) -> String {
    let mut written = Written::default();
    let (mut body, made) = Node::Sequence(nodes.to_vec()).write(2, &mut written);
    for name in 1..=written.names {
        let wire = if written.read.contains(&name) { format!(" as w{name}") } else { String::new() };
        body = body.replace(&format!("@{name}@"), &wire);
    }
    // Some are flattened, which may be a view of a map that others read too.
    let end = [
        "",
        "flatten",
        "flatten, fc: linear<3>",
        "flatten, relu",
        "adaptive_avg_pool2d<1>, concat { flatten, [flatten, relu], [flatten, fc: linear<3>] }",
        "concat { [flatten, a: linear<3>], [flatten, b: linear<2>], [softmax, flatten], [relu, flatten, c: linear<1>] }",
        "outputs { a: [], b: [flatten, linear<3>], c: [relu, upsample(scale_factor = 2)], d: [] }",
        "relu as end, outputs { a: [flatten, linear<2>], b: end, c: [concat { end, [] }, batch_norm2d] }",
    ][end];
    // Where there is more than one input, it meets what the others have become.
    let (head, more) = [
        ("Net<2, 2, 2>".to_owned(), String::new()),
        (format!("Net<image: <2, 2, 2>, other: <{made}, 2, 2>>"), "add { other, [] },".to_owned()),
        (
            format!("Net<image: <2, 2, 2>, numbers: <3>, gate: <{made}, 1, 1>>"),
            format!("multiply {{ [], gate }} as gated, numbers, linear<{}>, concat {{ [gated, flatten], [] }} as all, gated,", 3),
        ),
    ][inputs]
        .clone();
    let all = if inputs == 2 { "flatten, n1: linear<3>, concat { [], all }, n2: linear<8>" } else { "" };
    let end = if inputs == 2 { "" } else { end };
    format!("{head} {{ {body}, last: max_pool2d<1>, {more} {end} {all} }}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_step_reads_what_was_written_for_it(nodes in nodes(), end in 0_usize..8, inputs in 0_usize..3) {
        let text = network(&nodes, end, inputs);
        check(&text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
    }
}

/// A convolution is computed where it is pooled: its map has no memory, and what it takes lives until then.
#[test]
fn a_pooling_reads_what_its_convolution_does() -> Result<(), TestCaseError> {
    for (text, pools) in [
        (
            "Net<1, 4, 28> { conv2d<6, 5>(padding = 2), relu, dropout2d, max_pool2d<2>, conv2d<9, 1>, relu, max_pool2d<2> }",
            1,
        ),
        (
            "Net<3, 6, 28> { conv2d<8, 3>, batch_norm2d, relu6, max_pool2d<2>, conv2d<2, 3>(padding = 1), max_pool2d<2> }",
            1,
        ),
        ("Net<3, 4, 32> { a: conv2d<4, 1>, add { [b: conv2d<4, 3>(padding = 1)], [] }, max_pool2d<2> }", 0),
        ("Net<2, 6, 26> { concat { [a: conv2d<4, 3>, max_pool2d<2>], [b: conv2d<4, 3>, max_pool2d<2>] }, relu }", 2),
        ("Net<2, 6, 26> { concat { [b: conv2d<9, 3>, max_pool2d<2>], [c: conv2d<4, 3>, silu, max_pool2d<2>] } }", 0),
        ("Net<2, 6, 26> { a: conv2d<4, 3>, concat { [max_pool2d<2>], [max_pool2d<2>] } }", 0),
    ] {
        let [_, predictor] = plans(text);
        assert_eq!(predictor.steps.iter().filter(|step| step.pooled_by.is_some()).count(), pools, "{text}");
        check(text)?;
    }
    let [_, predictor] =
        plans("Net<1, 28, 28> { conv2d<6, 5>(padding = 2), relu, max_pool2d<2>, flatten, linear<10> }");
    assert_eq!(memory::evaluation(&predictor).placed, (6_u64 * 14 * 14).next_multiple_of(16));
    Ok(())
}

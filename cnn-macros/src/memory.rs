//! Where maps and their gradients live. In evaluation and backwards a map's slot is used again when nobody reads the map
//! any more; in training every map is kept for the backward pass.

use crate::fuse::root;
use crate::plan::{INPUT, MapId, Plan, Run, Size};

/// The memory of one pass.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// Values per sample of each slot.
    pub(crate) sizes: Vec<Size>,
    /// The slot of each map that has memory of its own, by its number.
    of: Vec<Option<usize>>,
}

/// Where a map lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the network's input.
    Input,
    /// It is the network's output.
    Output,
    Slot(usize),
}

impl Slots {
    pub(crate) fn place(&self, plan: &Plan, map: MapId) -> Place {
        let root = root(plan, map);
        match self.of[root.0] {
            Some(slot) => Place::Slot(slot),
            None if root == INPUT => Place::Input,
            None => Place::Output,
        }
    }

    fn new(plan: &Plan) -> Self {
        Self { sizes: Vec::new(), of: vec![None; plan.maps.len()] }
    }

    /// Gives a map the free slot that fits best. A size that only rustc knows gets a slot of its own.
    fn give(&mut self, plan: &Plan, map: MapId, free: &mut Vec<usize>) {
        let len = plan.map(map).shape.len();
        let known = |slot: usize| self.sizes[slot].known();
        let best = len.known().and_then(|len| {
            let candidates = free.iter().copied().filter_map(|slot| Some((slot, known(slot)?)));
            candidates.min_by_key(|(_, size)| if *size >= len { (0, *size) } else { (1, u64::MAX - size) })
        });
        let slot = match best {
            Some((slot, size)) => {
                free.retain(|other| *other != slot);
                self.sizes[slot] = Size::Known(size.max(len.known().unwrap_or(0)));
                slot
            }
            None => {
                self.sizes.push(len);
                self.sizes.len() - 1
            }
        };
        self.of[map.0] = Some(slot);
    }

    /// Whether a map needs memory that it does not have yet.
    fn lacks(&self, plan: &Plan, map: MapId) -> bool {
        map != INPUT && map != root(plan, plan.output) && self.of[map.0].is_none()
    }
}

/// Maps in evaluation.
pub(crate) fn evaluation(plan: &Plan) -> Slots {
    let mut slots = Slots::new(plan);
    let mut free = Vec::new();
    // The last step that reads a map or a view of it.
    let mut last = vec![0; plan.maps.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        last[root(plan, step.input).0] = index;
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let output = root(plan, step.output);
        if slots.lacks(plan, output) {
            slots.give(plan, output, &mut free);
        }
        let input = root(plan, step.input);
        if last[input.0] == index {
            free.extend(slots.of[input.0].filter(|slot| !free.contains(slot)));
        }
    }
    slots
}

/// Maps in training.
pub(crate) fn training(plan: &Plan) -> Slots {
    let mut slots = Slots::new(plan);
    for step in &plan.steps {
        let output = root(plan, step.output);
        if slots.lacks(plan, output) {
            slots.give(plan, output, &mut Vec::new());
        }
    }
    slots
}

/// Gradients of maps.
pub(crate) fn gradient(plan: &Plan) -> Slots {
    let mut slots = Slots::new(plan);
    let mut free = Vec::new();
    for step in plan.steps.iter().rev() {
        let input = root(plan, step.input);
        if slots.lacks(plan, input) {
            slots.give(plan, input, &mut free);
        }
        // The step that makes a map is the last to read the map's gradient.
        if matches!(step.run, Run::Apart | Run::WithRelu) {
            free.extend(slots.of[root(plan, step.output).0]);
        }
    }
    slots
}

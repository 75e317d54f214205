//! What a predictor does without: layers that do nothing in evaluation, and normalizations by running statistics, which
//! become part of the weights before them.

use super::fuse::only_reader;
use crate::layers::Folds;
use crate::plan::{Fold, JoinKind, Kind, MapId, Plan, Run, StepId};

pub(crate) fn fold(plan: &mut Plan) {
    for step in 0..plan.steps.len() {
        let Kind::Layer { row, arguments } = &plan.steps[step].kind else { continue };
        if row.only_trains {
            plan.steps[step].run = Run::View;
        } else if let Folds::Is(has_statistics) = row.folds
            && has_statistics(arguments)
            && let Some(targets) = targets(plan, plan.steps[step].input(), step)
        {
            for Target { layer, first, shifts } in targets {
                plan.steps[layer].folds.push(Fold { step, first, shifts });
            }
            plan.steps[step].run = Run::View;
        }
    }
}

/// A layer that takes some of a normalization into its weights.
struct Target {
    layer: StepId,
    first: u64,
    shifts: bool,
}

/// The layers that together make a map, which only this step reads, if each of them can take a normalization of it: behind a
/// concatenation each its channels, behind a sum all of them the factors and one the summands.
fn targets(plan: &Plan, map: MapId, reader: StepId) -> Option<Vec<Target>> {
    if only_reader(plan, map) != Some(reader) {
        return None;
    }
    let writer = plan.map(map).writer?;
    let step = &plan.steps[writer];
    // A map that is there twice would be normalized twice.
    if step.inputs.iter().enumerate().any(|(branch, map)| step.inputs[..branch].contains(map)) {
        return None;
    }
    let branches = || step.inputs.iter().map(|map| targets(plan, *map, writer));
    match &step.kind {
        _ if step.run == Run::View => targets(plan, step.input(), writer),
        Kind::Layer { row, .. } => {
            matches!(row.folds, Folds::Behind).then(|| vec![Target { layer: writer, first: 0, shifts: true }])
        }
        Kind::Join(join) => match join.kind {
            JoinKind::Multiply | JoinKind::Matmul | JoinKind::Outputs => None,
            JoinKind::Add => {
                let mut all = Vec::new();
                for (branch, targets) in branches().enumerate() {
                    all.extend(
                        targets?.into_iter().map(|target| Target { shifts: target.shifts && branch == 0, ..target }),
                    );
                }
                Some(all)
            }
            JoinKind::Concat => {
                let mut all = Vec::new();
                for (targets, before) in branches().zip(plan.firsts(&step.inputs)) {
                    let before = before.known()?;
                    all.extend(targets?.into_iter().map(|target| Target { first: target.first + before, ..target }));
                }
                Some(all)
            }
        },
        Kind::Custom(_) | Kind::Map(_) | Kind::Take { .. } => None,
    }
}

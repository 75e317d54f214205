//! What rustc evaluates of every network as it checks a program, so that nothing is left to be found wrong when it is built.

use super::Network;
use crate::layer::Operation;
use crate::shape::check::{MOST_VALUES, Text};

/// Evaluates all constants of a network that its functions use, and panics if memory cannot have as much: in words, where
/// the network is declared. Does nothing after a mistake in one of its sizes, which was told.
///
/// # Panics
/// As said.
#[track_caller]
#[doc(hidden)]
pub const fn check<N: Network>(mistakes: &[bool]) {
    let mut index = 0;
    while index < mistakes.len() {
        if mistakes[index] {
            return;
        }
        index += 1;
    }
    if let Some(text) = mistake::<N>() {
        panic!("{}", text.as_str());
    }
}

const fn mistake<N: Network>() -> Option<Text> {
    let (steps, mut index) = (N::STEPS, 0);
    while index < steps.len() {
        let step = &steps[index];
        let operation = &step.operation;
        let text = Text::new(step.path).str("`").str(step.layer).str("` ");
        if step.output.len() > MOST_VALUES {
            return Some(overflow(text.str("makes a map that overflows: ").sizes(step.output)));
        }
        if operation.parameter_count() > MOST_VALUES || operation.state_count() > MOST_VALUES {
            return Some(text.str("has more values than memory can have\nhelp: fewer channels or a smaller kernel"));
        }
        if operation.multiply_adds() == usize::MAX {
            return Some(text.str("has more multiply-adds than can be counted\nhelp: a smaller map"));
        }
        // A network's were looked at where it is declared.
        if !matches!(operation, Operation::Network(_)) {
            let needs = operation.needs();
            if needs.shared > MOST_VALUES || needs.per_thread > MOST_VALUES {
                return Some(text.str("works in more than memory can have\nhelp: a smaller map, or fewer channels"));
            }
        }
        index += 1;
    }
    let text = Text::new(N::NAME);
    let maps = N::MEMORY.training.saturating_add(N::MEMORY.gradient);
    if maps > MOST_VALUES || N::MEMORY.evaluation > MOST_VALUES {
        return Some(overflow(text.str("its maps overflow: ").number(maps as u128)));
    }
    if N::PARAMETERS > MOST_VALUES {
        return Some(overflow(text.str("its parameters overflow: ").number(N::PARAMETERS as u128)));
    }
    if N::MULTIPLY_ADDS == usize::MAX {
        return Some(text.str("the number of its multiply-adds overflows\nhelp: smaller maps"));
    }
    // What is left can only fail where one of its parts has.
    let _ = N::NEEDS;
    None
}

const fn overflow(text: Text) -> Text {
    text.str(" values are more than memory can have")
}

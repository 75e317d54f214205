//! What rustc evaluates of every network as it checks a program, so that nothing is left to be found wrong when it is built.

use super::names::{given_twice, same};
use super::{Needs, Network, Step};
use crate::layer::prepare::Prepared;
use crate::layer::{Operation, Parameter};
use crate::shape::check::{MOST_VALUES, Text};

/// Evaluates all constants of a network that its functions use, and panics if memory cannot have as much: in words, where
/// the network is declared. Does nothing after a mistake in one of its sizes, which was told.
///
/// # Panics
/// As said.
#[track_caller]
#[doc(hidden)]
pub const fn check<N: Network>() {
    // Constants are evaluated with the function that mentions them.
    if N::SOUND
        && let Some(text) = mistake::<N>()
    {
        panic!("{}", text.as_str());
    }
}

/// Panics, in words, if a network has other weights at a size than at the first of its sizes. Does nothing after a mistake in
/// one of them, which was told.
///
/// # Panics
/// As said.
#[track_caller]
#[doc(hidden)]
pub const fn same_weights<First: Network, N: Network>() {
    if First::SOUND
        && N::SOUND
        && let Some(text) = other_weights::<First, N>()
    {
        panic!("{}", text.as_str());
    }
}

/// What the weights of two sizes do not have in common.
const fn other_weights<First: Network, N: Network>() -> Option<Text> {
    let (ones, others) = (First::STEPS, N::STEPS);
    let (mut one, mut other) = (0, 0);
    loop {
        while one < ones.len() && !has_tensors(&ones[one]) {
            one += 1;
        }
        while other < others.len() && !has_tensors(&others[other]) {
            other += 1;
        }
        let text = match (one < ones.len(), other < others.len()) {
            (false, false) => return None,
            (true, true) if !same(ones[one].path, others[other].path) => {
                Text::new(others[other].path).str("it is not in its place at `").str(First::NAME).str("`")
            }
            (true, true) if like(&ones[one].operation, &others[other].operation) => {
                (one, other) = (one + 1, other + 1);
                continue;
            }
            (true, true) => {
                let (one, other) = (&ones[one], &others[other]);
                let text = Text::new(other.path).str("the weights of `").str(other.layer).str("` are ");
                let text = text.number(one.operation.parameter_count() as u128).str(" values at `").str(First::NAME);
                let text = text.str("` and ").number(other.operation.parameter_count() as u128).str(" values at `");
                text.str(N::NAME).str("`, or in another order")
            }
            (true, false) => Text::new(ones[one].path).str("it is not there at `").str(N::NAME).str("`"),
            (false, true) => Text::new(others[other].path).str("it is not there at `").str(First::NAME).str("`"),
        };
        return Some(text.str(SAME_WEIGHTS));
    }
}

const SAME_WEIGHTS: &str = "\nrule: all sizes of a network have the same weights\n\
                            help: weights whose sizes do not follow from those of the map";

/// Whether a step has tensors of its own.
const fn has_tensors(step: &Step) -> bool {
    let operation = &step.operation;
    let none = operation.parameter_count() == 0 && operation.state_count() == 0 && operation.counts() == 0;
    step.shares.is_none() && !none
}

/// Whether none is true.
#[doc(hidden)]
pub const fn none(mistakes: &[bool]) -> bool {
    let mut index = 0;
    while index < mistakes.len() {
        if mistakes[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Scratch memory of a network's loops; none after a mistake.
pub(super) const fn needs<N: Network>() -> Needs {
    const fn of_sound<N: Network>() -> Needs {
        N::STEP_NEEDS
    }
    if N::SOUND { of_sound::<N>() } else { Needs::NONE }
}

/// What a network's predictor has; nothing after a mistake.
pub(super) const fn prepared<N: Network>() -> Prepared {
    const fn of_sound<N: Network>() -> Prepared {
        N::STEP_PREPARED
    }
    if N::SOUND { of_sound::<N>() } else { Prepared::NONE }
}

const fn mistake<N: Network>() -> Option<Text> {
    let (steps, mut index) = (N::STEPS, 0);
    while index < steps.len() {
        if let Some(owner) = steps[index].shares
            && !like(&steps[index].operation, &steps[owner].operation)
        {
            let text = Text::new(steps[index].path).str("the weights of `").str(steps[owner].path);
            return Some(text.str(
                "` are others than this map needs\nhelp: what is shared gets the same sizes wherever it is used",
            ));
        }
        // A network's were looked at where it is declared.
        if !matches!(steps[index].operation, Operation::Network(_))
            && let Some(text) = mistake_of(&steps[index])
        {
            return Some(text);
        }
        index += 1;
    }
    let text = Text::new(N::NAME);
    if let Some(name) = given_twice(steps) {
        let text = text
            .str("`")
            .str(name.as_str())
            .str("` is the name of two steps with weights, one of which is in a network ");
        return Some(text.str("that lends its names\nhelp: weights go by it: another label, also in the place of `_`"));
    }
    if N::MEMORY.training > MOST_VALUES || N::MEMORY.evaluation > MOST_VALUES {
        return Some(overflow(text.str("its maps overflow: ").number(N::MEMORY.training as u128)));
    }
    if N::PARAMETERS > MOST_VALUES {
        return Some(overflow(text.str("its parameters overflow: ").number(N::PARAMETERS as u128)));
    }
    if N::MULTIPLY_ADDS == usize::MAX {
        return Some(text.str("the number of its multiply-adds overflows\nhelp: smaller maps"));
    }
    if N::NEEDS.shared > MOST_VALUES || N::NEEDS.per_thread > MOST_VALUES {
        return Some(text.str("its layers work in more than memory can have\nhelp: smaller maps, or fewer channels"));
    }
    None
}

/// Whether two layers have the same tensors.
const fn like(one: &Operation, other: &Operation) -> bool {
    if let (Operation::Network(one), Operation::Network(other)) = (one, other) {
        let mut index = 0;
        while index < one.len() && index < other.len() {
            if !like(&one[index].operation, &other[index].operation) {
                return false;
            }
            index += 1;
        }
        return one.len() == other.len();
    }
    const fn all(one: &[Parameter], other: &[Parameter]) -> bool {
        let mut index = 0;
        while index < one.len() && index < other.len() {
            if !one[index].is_kept_as(&other[index]) {
                return false;
            }
            index += 1;
        }
        one.len() == other.len()
    }
    all(one.parameters().as_slice(), other.parameters().as_slice())
        && all(one.state().as_slice(), other.state().as_slice())
}

const fn mistake_of(step: &Step) -> Option<Text> {
    let operation = &step.operation;
    let what = if step.output.len() > MOST_VALUES {
        "makes a map of more values than memory can have\nhelp: a smaller map"
    } else if operation.parameter_count() > MOST_VALUES || operation.state_count() > MOST_VALUES {
        "has more values than memory can have\nhelp: fewer channels or a smaller kernel"
    } else if operation.multiply_adds() == usize::MAX {
        "has more multiply-adds than can be counted\nhelp: a smaller map"
    } else {
        return None;
    };
    Some(Text::new(step.path).str("`").str(step.layer).str("` ").str(what))
}

const fn overflow(text: Text) -> Text {
    text.str(" values are more than memory can have")
}

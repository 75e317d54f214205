//! The way back in pieces, between which something can be done with the gradients that are there.

use core::ops::Range;

use crate::layer::step;
use crate::network::Network;

/// A piece: its steps, and the trainable values that they own.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) steps: Range<usize>,
    pub(super) values: Range<usize>,
}

/// A piece has so many values at least, if there are as many: what is sent to others is not shorter than it takes to begin.
const LEAST: usize = 1 << 18;

/// The pieces of a network from a cut on, the last first.
pub(super) fn pieces<N: Network>(first_step: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut end = (usize::MAX, N::PARAMETERS);
    let begins = N::CUTS.iter().rev().map(|cut| cut.step).filter(|step| *step > first_step).chain([first_step]);
    for begin in begins {
        let first = step::parameters(&N::STEPS[..begin]);
        if end.1 - first < LEAST && begin > first_step {
            continue;
        }
        pieces.push(Piece { steps: begin..end.0, values: first..end.1 });
        end = (begin, first);
    }
    pieces
}

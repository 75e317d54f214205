//! What the jobs learn from: bright squares on dark ground, and noise.

use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose, Stream};
use cnn_core::shape::Shape;

/// A stream of random numbers.
pub(crate) fn stream(seed: u64) -> Stream {
    Key { purpose: Purpose::Augmentation, seed, step: 0, layer: 0, sample: 0 }.stream()
}

/// Nearly normal numbers: each is the sum of twelve that are evenly spread.
pub(crate) fn noise<S: Shape>(samples: usize, seed: u64) -> Batch<S> {
    let mut stream = stream(seed);
    let mut batch = Batch::zeros(samples);
    batch.values_mut().fill_with(|| (0..12).map(|_| stream.symmetric(0.5)).sum());
    batch
}

/// Where a square is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Square {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) side: usize,
}

impl Square {
    /// One of this side, anywhere in a picture of `of` rows and columns.
    pub(crate) fn anywhere(stream: &mut Stream, side: usize, of: usize) -> Self {
        Self { top: stream.below(of - side + 1), left: stream.below(of - side + 1), side }
    }

    /// How bright it makes a place.
    pub(crate) fn at(self, row: usize, column: usize) -> f32 {
        let inside = |from: usize, place: usize| (from..from + self.side).contains(&place);
        f32::from(u8::from(inside(self.top, row) && inside(self.left, column)))
    }
}

/// A picture of each square.
pub(crate) fn draw<const OF: usize>(squares: &[Square]) -> Result<Batch<Chw<1, OF, OF>>, Error> {
    let picture = |square: &Square| {
        let square = *square;
        (0..OF * OF).map(move |place| square.at(place / OF, place % OF))
    };
    Batch::from_nchw(&squares.iter().flat_map(picture).collect::<Vec<_>>())
}

/// Squares with sides from 4 to 8, anywhere in 16 x 16 pictures.
pub(crate) fn squares(samples: usize, seed: u64) -> Vec<Square> {
    let mut stream = stream(seed);
    (0..samples)
        .map(|_| {
            let side = 4 + stream.below(5);
            Square::anywhere(&mut stream, side, 16)
        })
        .collect()
}

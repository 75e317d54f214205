//! A detector with outputs at three resolutions: each is for squares of about its size, and has a loss that is declared once.

use cnn_core::network::Outputs;
use cnn_core::prelude::*;

use crate::pictures::{Square, draw, stream};

network! {
    block cell<C> { conv2d<C, 3>(padding = 1, bias = false), batch_norm2d, relu, max_pool2d<2> }

    /// At each place whether a square begins there, and then how far it begins below and right of the place, as shares of it.
    pub Detector<1, 32, 32> {
        stem: [cell<8>, cell<16>] as fine,
        middle: cell<16> as middle,
        coarse: cell<16> as coarse,
        outputs {
            small: [fine, near: conv2d<3, 1>],
            medium: [middle, further: conv2d<3, 1>],
            large: [coarse, far: conv2d<3, 1>],
        },
    }

    /// Entropy of whether there is one, and where there is one the distance from it; the sum over all places.
    block places<truth> {
        [] as made, truth, channel_slice<0, 1> as there, truth, channel_slice<1, 3> as corner,
        made, channel_slice<0, 1>, map(|x, there| softplus(x) - x * there), sum as missed,
        made, channel_slice<1, 3>, map(|x, corner, there| there * pow(x - corner, 2)), sum,
        map(|far, missed| 3 * far + missed),
    }

    /// Places of 4 x 4 pixels.
    pub Small<made: <3, 8, 8>, truth: <3, 8, 8>> { made, places<truth> }

    /// Places of 8 x 8 pixels.
    pub Medium<made: <3, 4, 4>, truth: <3, 4, 4>> { made, places<truth> }

    /// Places of 16 x 16 pixels.
    pub Large<made: <3, 2, 2>, truth: <3, 2, 2>> { made, places<truth> }
}

/// One square in each picture: with a side of 4, of 8, or of 16.
fn squares(samples: usize, seed: u64) -> Vec<Square> {
    let mut stream = stream(seed);
    (0..samples)
        .map(|_| {
            let side = 4 << stream.below(3);
            Square::anywhere(&mut stream, side, 32)
        })
        .collect()
}

/// What is to be said of places of this size.
fn truth<const N: usize>(squares: &[Square]) -> Batch<Chw<3, N, N>> {
    let (mut batch, place) = (Batch::zeros(squares.len()), 32 / N);
    for (sample, square) in squares.iter().enumerate().filter(|(_, square)| square.side == place) {
        let [row, column] = [square.top, square.left].map(|from| from / place);
        let [below, right] = [square.top, square.left].map(|from| (from % place) as f32 / place as f32);
        for (channel, value) in [1.0, below, right].into_iter().enumerate() {
            batch[(sample, [channel, row, column])] = value;
        }
    }
    batch
}

/// The likeliest square of each picture.
fn found(output: &Batch<Outputs<Detector>>) -> Vec<Square> {
    let DetectorOutputs { small, medium, large } = Detector::outputs(output.samples());
    (0..output.len())
        .map(|sample| {
            let mut best = (f32::NEG_INFINITY, Square { top: 0, left: 0, side: 0 });
            let mut look = |side: usize, made: &dyn Fn(usize, usize, usize) -> f32| {
                for (row, column) in (0..32 / side).flat_map(|row| (0..32 / side).map(move |column| (row, column))) {
                    let [likely, below, right] = [0, 1, 2].map(|channel| made(channel, row, column));
                    let from = |place: usize, share: f32| ((place as f32 + share) * side as f32).round() as usize;
                    if likely > best.0 {
                        best = (likely, Square { top: from(row, below), left: from(column, right), side });
                    }
                }
            };
            look(4, &|channel, row, column| small[(sample, [channel, row, column])]);
            look(8, &|channel, row, column| medium[(sample, [channel, row, column])]);
            look(16, &|channel, row, column| large[(sample, [channel, row, column])]);
            best.1
        })
        .collect()
}

#[test]
fn a_detector_finds_squares_of_three_sizes() -> Result<(), Error> {
    let (mut net, mut training) = (Detector::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.01))?;
    for step in 0..200 {
        let squares = squares(16, step);
        let (small, medium, large) = (truth(&squares), truth(&squares), truth(&squares));
        let loss =
            DetectorLosses { small: Small::loss(&small), medium: Medium::loss(&medium), large: Large::loss(&large) };
        training.backward(Mode::Training, &mut net, &draw(&squares)?, &loss)?;
        optimizer.step(&mut net, training.gradients());
    }
    let squares = squares(128, 9000);
    let found = found(&net.forward(&draw(&squares)?));
    let is_near = |(found, square): &(Square, &Square)| {
        found.side == square.side
            && found.top.abs_diff(square.top) <= square.side / 4
            && found.left.abs_diff(square.left) <= square.side / 4
    };
    let right = found.into_iter().zip(&squares).filter(is_near).count();
    assert!(right > 100, "{right} of 128");
    Ok(())
}

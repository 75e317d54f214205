//! A picture, and numbers beside it: neither is enough.

use cnn_core::prelude::*;

use crate::pictures::{Square, draw, squares, stream};

network! {
    /// Says whether the square in a picture is right of a line, of which it gets the place as a number.
    pub Beside<image: <1, 16, 16>, line: <1>> {
        image,
        conv2d<8, 3>(padding = 1), relu, max_pool2d<4>, flatten, seen: linear<8> as seen,
        concat { seen, line }, linear<32>, relu, linear<2>,
    }
}

/// Pictures, lines, and what is to be said.
fn questions(samples: usize, seed: u64) -> Result<(Batch<Chw<1, 16, 16>>, Batch<Flat<1>>, Labels<2>), Error> {
    let (squares, mut stream) = (squares(samples, seed), stream(seed + 500_000));
    let lines: Vec<f32> = (0..samples).map(|_| 8.0 + stream.symmetric(4.0)).collect();
    let middle = |left: usize, side: usize| left as f32 + side as f32 / 2.0;
    let is_right = |(square, line): (&Square, &f32)| usize::from(middle(square.left, square.side) > *line);
    let labels: Vec<usize> = squares.iter().zip(&lines).map(is_right).collect();
    let lines: Vec<f32> = lines.iter().map(|line| (line - 8.0) / 4.0).collect();
    Ok((draw(&squares)?, Batch::from_nchw(&lines)?, Labels::new(&labels)?))
}

fn accuracy(net: &Beside, hide: bool) -> Result<f32, Error> {
    let (images, lines, labels) = questions(256, 9000)?;
    let lines = if hide { Batch::zeros(256) } else { lines };
    let found = net.forward(&Beside::inputs(&images, &lines)?).argmax();
    let right = found.iter().zip(labels.as_slice()).filter(|(found, label)| found == label).count();
    Ok(right as f32 / 256.0)
}

#[test]
fn a_picture_and_a_number_are_learned_together() -> Result<(), Error> {
    let (mut net, mut training) = (Beside::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.005))?;
    for step in 0..200 {
        let (images, lines, labels) = questions(32, step)?;
        let input = Beside::inputs(&images, &lines)?;
        training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels))?;
        optimizer.step(&mut net, training.gradients());
    }
    let (with, without) = (accuracy(&net, false)?, accuracy(&net, true)?);
    assert!(with > 0.9 && without < with - 0.1, "{with} {without}");
    Ok(())
}

//! Sizes from constants, and arithmetic on maps that are made of them.
use cnn_core::prelude::*;

mod config {
    pub const CLASSES: usize = 10;
    pub const WIDTH: usize = 4;
    pub const fn odd(size: usize) -> usize {
        2 * size + 1
    }
}

network! {
    /// All of its sizes are in another place.
    pub Configured<{ config::WIDTH }, 28, 28> {
        conv2d<{ config::WIDTH * channels }, { config::odd(2) }>(padding = config::odd(2) / 2), relu,
        max_pool2d<{ config::odd(0) + 1 }> => <16, 14, 14>,
        conv2d<config::CLASSES, 3>(stride = 2, dilation = { config::WIDTH / 2 }), relu,
        dropout,
        adaptive_avg_pool2d<{ height - 2 }>,
        avg_pool2d<{ width - 1 }>(padding = { config::WIDTH / 4 - 1 }),
        flatten,
        fc1: linear<{ config::CLASSES * 2 }>, relu,
        fc2: linear<{ config::CLASSES }>,
    }
}

const PAIR: [usize; 2] = [4, 5];

network! {
    /// Whatever rustc can evaluate stands in braces.
    pub Computed<3, 28, 28> {
        conv2d<{ if config::WIDTH > 2 { 8 } else { 4 } }, 3>(padding = { let half = 2; half / 2 }, stride = { 2 }),
        conv2d<{ 2 * { 4 } }, { PAIR[0] - 1 }>(padding = ({ 1 }, 1)) => <8, 14, 14>,
        flatten,
        linear<{ match config::WIDTH { 4 => 10, _ => 11 } }>,
    }
}

const _: () = assert!(Computed::PARAMETERS == 8 * 28 + 8 * 73 + 10 * (8 * 14 * 14 + 1));
const _: () = assert!(Configured::PARAMETERS == 1616 + 1450 + 220 + 210 && Configured::WORKSPACE_BYTES > 0);

fn main() {
    let mut net = Configured::new(0);
    let _: Batch<Flat<10>> = net.forward(&Batch::<Chw<4, 28, 28>>::zeros(1));
    let labels = Labels::new(&[3]).unwrap();
    let mut training = Training::new(0);
    training.backward(Mode::Training, &mut net, &Batch::zeros(1), &CrossEntropy::new(&labels)).unwrap();
}

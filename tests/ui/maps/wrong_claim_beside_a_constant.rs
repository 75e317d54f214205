use cnn_core::prelude::*;

const CHANNELS: usize = 8;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<CHANNELS, 3> => <8, 27, 27>,
        flatten,
        fc: linear<10>,
    }
}

fn main() {
    let _ = Net::new(0);
}

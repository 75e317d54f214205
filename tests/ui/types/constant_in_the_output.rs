use cnn_core::prelude::*;

const KERNEL: usize = 7;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, { 5 * KERNEL }>,
        relu,
        conv2: conv2d<{ 2 * KERNEL - 14 }, KERNEL>,
        max_pool2d<KERNEL>,
    }
}

fn main() {
    let maps: Batch<Chw<3, 16, 16>> = Net::new(0).forward(&Batch::zeros(1));
    println!("{maps:?}");
}

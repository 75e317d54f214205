use cnn_core::prelude::*;

const KERNEL: usize = 7;

network! {
    Net<1, 28, 28> { conv1: conv2d<{ KERNEL - 7 }, 3>, flatten, fc: linear<10> }
}

fn main() {
    let _: Batch<Flat<10>> = Net::new(0).forward(&Batch::zeros(1));
}

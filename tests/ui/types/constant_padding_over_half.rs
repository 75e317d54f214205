use cnn_core::prelude::*;

const KERNEL: usize = 7;

network! {
    Net<1, 28, 28> { pool: max_pool2d<KERNEL>(padding = 4), flatten, fc: linear<10> }
}

fn main() {
    let _: Batch<Flat<10>> = Net::new(0).forward(&Batch::zeros(1));
}

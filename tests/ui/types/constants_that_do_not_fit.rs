use cnn_core::prelude::*;

const KERNEL: usize = 7;
const NOTHING: usize = 0;

network! {
    Large<1, 28, 28> { conv1: conv2d<6, { 5 * KERNEL }>, relu, flatten, fc: linear<10> }
    Wide<1, 28, 28> { conv1: conv2d<6, KERNEL>(dilation = (1, KERNEL)), relu, flatten, fc: linear<10> }
    Padded<1, 28, 28> { pool: max_pool2d<KERNEL>(padding = 4), flatten, fc: linear<10> }
    Strict<1, 28, 28> { conv1: conv2d<6, KERNEL>(stride = 2, strict), flatten, fc: linear<10> }
    Empty<1, 28, 28> { conv1: conv2d<NOTHING, 3>, flatten, fc: linear<10> }
    Still<1, 28, 28> { pool: max_pool2d<2>(stride = NOTHING), flatten, fc: linear<10> }
    Claimed<1, 28, 28> { conv1: conv2d<6, KERNEL> => <6, 21, 21>, flatten, fc: linear<10> }
    Unknown<1, 28, 28> { conv1: conv2d<6, CERNEL>, flatten, fc: linear<10> }
}

fn main() {
    let _: Batch<Flat<10>> = Large::new(0).forward(&Batch::zeros(1));
    let _: Batch<Flat<10>> = Claimed::new(0).forward(&Batch::zeros(1));
}

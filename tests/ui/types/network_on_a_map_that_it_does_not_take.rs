use cnn_core::prelude::*;

network! {
    Head<6, 14, 14> { flatten, fc: linear<10> }
    Net<1, 28, 28> { conv: conv2d<6, 5>, relu, max_pool2d<2>, head: Head }
}

fn main() {
    let scores: Batch<Flat<10>> = Net::new(0).forward(&Batch::zeros(1));
    println!("{:?}", scores.argmax());
}

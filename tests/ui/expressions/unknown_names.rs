use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> {
        conv2d<4, 3> as low, map(|x| x * sigmod(x)), map(|x| x * y), map(|x, lo| x * lo), map(|x| x + low),
        map(|x| log(x) + square(x) + gaussian(x)), map(|x| {let u = -x; v * u}),
    }
}

fn main() {
    let _ = Net::new(0);
}

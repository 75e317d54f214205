use cnn_core::prelude::*;

network! {
    PNet<3, H, W> for [(12, 12), (24, 48)] { conv: conv2d<4, 3>, relu }
}

fn main() {
    let net = PNet::<12, 12>::new(0);
    let other = net.at::<13, 13>();
}

fn takes(_: &PNet<48, 24>) {}

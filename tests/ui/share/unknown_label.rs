use cnn_core::prelude::*;

network! {
    block two { conv: conv2d<3, 1>, relu, share<tower> }
    Net<3, 8, 8> { tower: [conv2d<3, 1>, relu], share<towr>, share<last>, last: conv2d<3, 1> }
    Other<3, 8, 8> { tower: two }
    Third<3, 8, 8> { share<tower>, [inner: conv2d<3, 1>], share<inner>, share<3>, share }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    block act { batch_norm2d, relu }
    Net<3, 8, 8> { act, act<3> }
}

fn main() {
    let _ = Net::new(0);
}

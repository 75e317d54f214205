use cnn_core::prelude::*;

network! {
    block act { batch_norm2d, relu }
    Net<3, 8, 8> { act(inplace = true) }
}

fn main() {
    let _ = Net::new(0);
}

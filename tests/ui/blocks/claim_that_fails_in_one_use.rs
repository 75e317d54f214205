use cnn_core::prelude::*;

network! {
    block down<C> { conv2d<C, 3>(stride = 2, padding = 1), relu => <C, 28, 28> }
    Net<3, 112, 112> {
        stem: max_pool2d<2>,
        layer1: [down<64>],
        layer2: [down<128>],
    }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

const TIMES: usize = 2;

network! {
    Net<3, 32, 32> { repeat<{ TIMES }> [relu] }
}

fn main() {
    let _ = Net::new(0);
}

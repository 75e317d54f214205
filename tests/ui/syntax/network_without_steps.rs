use cnn_core::prelude::*;

network! {
    pub Net<1, 28, 28>
}

fn main() {
}

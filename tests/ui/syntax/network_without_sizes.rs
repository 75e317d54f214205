use cnn_core::prelude::*;

network! {
    Net { relu }
}

fn main() {
}

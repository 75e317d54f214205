use cnn_core::prelude::*;

network! {
    Net<10> { add { linear<12>, [] }, relu }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    block cell<C>;
    Net<3, 8, 8> { cell<3> }
}

fn main() {
    let _ = Net::new(0);
}

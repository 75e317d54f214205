use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { add { [flatten, linear<192>], [] }, relu }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    block twice<C> { conv2d<C, 3>, conv2d<C, 3> }
    Net<1, 28, 28> { twice<6>, relu }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    Net<image: 3, features: <10>> { flatten }
    Other<image: <3, 8, 8> features: <10>> { flatten }
    Third<image: <3, 8, 8>, <10>> { flatten }
    Fourth<image: <3, 8, 8, 8>, features: <10>> { features, linear<2> }
}

fn main() {
    let _ = Net::new(0);
}

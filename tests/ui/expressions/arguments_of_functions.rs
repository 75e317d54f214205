use cnn_core::prelude::*;

const NAME: &str = "three";

network! {
    Net<3, 8, 8> { map(|x| exp(x, 2) + max(x) + pow(x, x)), map(|x| pow(x, 2, 3)), map(|x| x * true) }
    Other<3, 8, 8> { relu as a, map(|x, a| 2 * x) }
    Third<3, 8, 8> { map(|x| x * NAME) }
}

fn main() {
    let _ = Net::new(0);
}

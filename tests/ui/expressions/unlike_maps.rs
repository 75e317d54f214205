use cnn_core::prelude::*;

network! {
    Net<image: <3, 8, 8>, other: <4, 8, 8>, features: <3>, wide: <3, 8, 4>> {
        image, conv2d<3, 3>(padding = 1) as x,
        x, map(|x, other| x + other) as a,
        x, map(|x, features| x * features) as b,
        x, map(|x, wide| x * wide),
    }
}

fn main() {
    let batch = Net::inputs(&Batch::zeros(1), &Batch::zeros(1), &Batch::zeros(1), &Batch::zeros(1)).unwrap();
    let _ = Net::new(0).forward(&batch);
}

use cnn_core::prelude::*;

network! {
    Net<image: <3, 8, 8>, features: <10>> { image, conv2d<8, 3>, flatten, linear<2> }
}

fn main() {
    let batch = Net::inputs(&Batch::zeros(1), &Batch::zeros(1)).unwrap();
    let _ = Net::new(0).forward(&batch);
}

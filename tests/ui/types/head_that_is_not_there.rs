use cnn_core::prelude::*;

network! {
    /// Two heads.
    pub Net<16, 8, 8> { concat { boxes: conv2d<8, 1>, scores: conv2d<4, 1> } }
}

fn main() {
    let output = Net::new(0).forward(&Batch::zeros(1));
    println!("{:?}", Net::heads(output.samples()).box_);
}

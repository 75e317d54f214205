use cnn_core::prelude::*;

network! {
    block pair<C> { conv2d<C, 9>, concat { left: [], right: conv2d<C> } }

    /// Its branch is wrong; its heads have their names all the same.
    pub Net<16, 8, 8> { conv2d<4, 3>, concat { boxes: conv2d<8, 9>, scores: conv2d<4, 1> } }

    /// A branch that does not parse.
    pub Broken<16, 8, 8> { concat { boxes: conv2d<8 1>, scores: conv2d<4, 1> } }

    /// A block that is called wrongly.
    pub Called<16, 8, 8> { pair }
}

fn main() {
    let output = Net::new(0).forward(&Batch::zeros(1));
    let NetHeads { boxes, scores } = Net::heads(output.samples());
    println!("{} {} {:?}", boxes[(0, [1, 2, 3])], scores.len(), scores.to_batch());
    let output = Broken::new(0).forward(&Batch::zeros(1));
    println!("{:?}", Broken::heads(output.samples()).boxes);
    let output = Called::new(0).forward(&Batch::zeros(1));
    println!("{:?}", Called::heads(output.samples()).left);
}

use cnn_core::prelude::*;

network! {
    block deep<C> { conv2d<C, 5>, relu, conv2d<C, 5> }

    Some<3, S, S> for [24, 12, 6, 5] { conv1: conv2d<8, 3>, max_pool2d<2>, conv2: conv2d<8, 3>, relu }
    All<3, S, S> for [4, 5, 6] { conv1: conv2d<8, 7>, relu }
    Block<1, H, W> for [(16, 16), (8, 16)] { first: deep<4> }
    Typo<1, S, S> for [8, 16] { conv2d<8, 3>, rleu, conv2d<4, 3>(stride = 0) }
    Ends<1, S, S> for [8, 9] { conv2d<2, 3>, outputs { a: conv2d<1, 7>, b: [] } }
}

fn main() {
    let some = Some::<24>::new(0).at::<12>().forward(&Batch::zeros(2));
    let all = All::<4>::new(0);
    let block: Block<8, 16> = Block::<16, 16>::new(0).resize();
    let output = Ends::<9>::new(0).forward(&Batch::zeros(2));
    let EndsOutputs { a, b } = Ends::<9>::outputs(output.samples());
}

use cnn_core::prelude::*;

const SIDE: usize = 12;

network! {
    Few<3, H, W> for [(12, 12), 24, (1, 2, 3)] { conv2d<4, 1> }
    Twice<3, S, S> for [12, 24, { 2 * 6 }] { conv2d<4, 1> }
    Zero<3, H, W> for [(12, 0), (-3, 5)] { conv2d<4, 1> }
    Constant<3, S, S> for [SIDE, 24] { conv2d<4, 1> }
    Fixed<3, 12, 12> for [12, 24] { conv2d<4, 1> }
    Empty<3, H, W> for [] { conv2d<4, 1> }
    Height<3, height, width> for [(12, 12)] { conv2d<4, 1> }
    Word<3, S, S> for [big] { conv2d<4, 1> }
    Text<3, S, S> for ["12", 2.5] { conv2d<4, 1> }
    Huge<3, S, S> for [12, 99999999999] { conv2d<4, 1> }
}

fn main() {
    let _ = Few::<12, 12>::new(0);
    let _ = Twice::<12>::new(0).at::<24>();
}

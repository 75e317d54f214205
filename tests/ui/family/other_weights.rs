use cnn_core::prelude::*;

network! {
    Net<3, S, S> for [8, 16, 32] { conv2d<4, 3>(padding = 1), relu, flatten, fc: linear<10> }
    Wide<3, H, W> for [(8, 8), (8, 12)] { conv: conv2d<{ W / 4 }, 3>, relu }
    Deep<3, S, S> for [8, 16] { repeat<{ S / 8 }> [conv2d<3, 3>(padding = 1), relu] }
    Sound<3, S, S> for [8, 16] { conv2d<4, 3>, relu, adaptive_avg_pool2d<1>, flatten, fc: linear<10> }
}

fn main() {
    let net = Net::<8>::new(0);
    let scores: Batch<Flat<10>> = net.at::<16>().forward(&Batch::zeros(1));
    let wide: Wide<8, 12> = Wide::<8, 8>::new(0).resize();
    let deep = Deep::<24>::new(0);
    let sound: Batch<Flat<10>> = Sound::<16>::new(0).forward(&Batch::zeros(1));
}

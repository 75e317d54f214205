//! What messages offer in the place of other libraries' layers.
use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> {
        conv2d<channels, 3>(groups = channels), conv2d<16, 1>,
        map(|x| if x > 0 { x } else { exp_m1(x) }),
        map(|x| x * tanh(softplus(x))),
        map(|x| softplus(x)),
        map(|x| x / (1 + abs(x))),
        adaptive_max_pool2d<4>, upsample(scale_factor = 2, mode = bilinear, align_corners = true),
        adaptive_avg_pool2d<1>, flatten, linear<10>,
    }
    Line<1, 1, 128> { conv2d<16, (1, 3)>, max_pool2d<(1, 2)>, avg_pool2d<(1, 2)> }
    Rounded<3, 30, 30> { concat { [], [max_pool2d<4>, upsample(size = (30, 30))] } }
    Again<3, 25, 25> { add { [], [max_pool2d<2>, conv_transpose2d<3, 2>(stride = 2, output_padding = 1)] } }
}

fn main() {
    let _ = (Net::new(0), Line::new(0), Rounded::new(0), Again::new(0));
}

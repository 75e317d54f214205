use cnn_core::prelude::*;

network! {
    A<3, 8, 8> { drop_path, relu }
    B<3, 8, 8> { drop_path(0.1), relu }
    C<3, 8, 8> { drop_path(p = 1.5), relu }
    D<3, 8, 8> { layer_scale(1e-6), relu }
    E<3, 8, 8> { layer_scale<3>, relu }
    F<3, 8, 8> { StochasticDepth(0.1, "row"), DropPath(drop_prob=0.2), LayerScale(3, init_values=0.1) }
    G<3, 8, 8> { stochastic_depth(p = 0.1), DropPath }
}

fn main() {}

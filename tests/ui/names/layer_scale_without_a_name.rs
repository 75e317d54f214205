use cnn_core::prelude::*;

network! {
    /// What lends its name has its factors under that of the sequence around it, which is none here.
    A<3, 8, 8> { _: layer_scale, relu }
    B<3, 8, 8> { inner: [_: layer_scale, relu], inner_too: layer_scale }
}

fn main() {}

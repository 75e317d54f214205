use cnn_core::prelude::*;

network! {
    /// Words and options that normalizations do not have.
    pub Net<12, 4, 4> {
        a: layer_norm(over = features), b: rms_norm(bias = true), c: instance_norm2d(track_running_stats = true),
        d: layer_norm(affine = false),
    }
}

fn main() {
    let _ = Net::new(0);
}

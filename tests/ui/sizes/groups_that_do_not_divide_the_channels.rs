use cnn_core::prelude::*;

network! {
    /// Groups of a part of a channel.
    pub Net<12, 4, 4> { norm: group_norm<8> }

    /// Groups of a part of a feature.
    pub Flat<10> { norm: group_norm<4> }
}

fn main() {
    let _ = Net::new(0);
}

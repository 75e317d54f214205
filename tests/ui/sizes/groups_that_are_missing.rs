use cnn_core::prelude::*;

network! {
    /// PyTorch's `GroupNorm(num_groups, num_channels)`: the channels are the map's.
    pub Net<12, 4, 4> { two: group_norm<4, 12>, none: group_norm, option: group_norm(num_groups = 4) }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    /// The transforms are those of 3x3 filters, one cell apart.
    pub Net<8, 16, 16> {
        a: conv2d<8, 5>(padding = 2, algorithm = winograd),
        b: conv2d<8, 3>(stride = 2, algorithm = winograd),
        c: conv2d<8, 3>(padding = 1, algorithm = winograd),
    }
}

fn main() {
    let _ = Net::new(0);
}

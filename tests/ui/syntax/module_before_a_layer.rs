use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv: nn.Conv2d(3, 64, 3), nn.ReLU(), nn.relu(), F.relu(x)
    }
}

fn main() {
    let _ = Net::new(0);
}

use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        Conv2d(3, 64, kernel_size=3, padding="same"), ReLU(inplace=True), MaxPool2d(2), Scale(3)
    }
}

fn main() {
    let _ = Net::new(0);
}

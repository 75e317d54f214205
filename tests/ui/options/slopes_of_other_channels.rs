use cnn_core::prelude::*;

network! {
    /// Three slopes for two channels.
    pub Net<2, 5, 5> { act: prelu(num_parameters = 3) }
}

fn main() {
    let _ = Net::new(0);
}

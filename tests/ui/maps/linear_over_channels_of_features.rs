use cnn_core::prelude::*;

network! {
    A<12> { fc: linear<10>(over = channels), relu }
    B<3, 8, 8> { flatten, linear<10>(over = channel) }
    C<3, 8, 8> { fc: linear<10>(over = space) }
}

fn main() {}

use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { relu }
    #[cfg(test)]
    Other<1, 28, 28> { relu }
    #[cfg(not(test))]
    Other<1, 28, 28> { flatten }
    Net<1, 28, 28> { flatten }
}

fn main() {
    let _ = Net::new(0);
    let _ = Other::new(0);
}

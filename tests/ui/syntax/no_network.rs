use cnn_core::prelude::*;

network! {

}

fn main() {
}

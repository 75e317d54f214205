use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { Conv2d<16, 3> }
    B<3, 32, 32> { ReLU }
    C<3, 32, 32> { MaxPooling2D }
    D<3, 32, 32> { Dense<10> }
    E<3, 32, 32> { BatchNorm2d }
    F<3, 32, 32> { GlobalAveragePooling2D }
    G<3, 32, 32> { UpSampling2D }
    H<3, 32, 32> { nn::Tanh }
    I<3, 32, 32> { ELU }
}

fn main() {}

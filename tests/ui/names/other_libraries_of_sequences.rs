use cnn_core::prelude::*;

network! {
    A<3, 32> { Conv1d(3, 16, 5, stride=2, padding="same"), MaxPool1d(2), AvgPool1d(3, 2, 1), AdaptiveAvgPool1d(1), AdaptiveMaxPool1d(4) }
    B<3, 32> { ConvTranspose1d(3, 16, 4, 2, 1, output_padding=1), Conv1D(16, 3, strides=2), MaxPooling1D(), GlobalAveragePooling1D() }
    C<3, 32> { nn::BatchNorm1d(16), Conv1DTranspose(8, 2, strides=2), AveragePooling1D(pool_size=4), LazyConv1d(16, 5) }
}

fn main() {}

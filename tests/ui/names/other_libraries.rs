use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { Conv2d(3, 16, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(4096, 10) }
    B<3, 32, 32> { Conv2D(32, (3, 3), strides=2, padding="same", activation="relu"), MaxPooling2D(), Dropout(0.25), Dense(10) }
    C<3, 32, 32> { nn::Conv2d(3, 16, (3, 5), bias=False), nn::BatchNorm2d(16), nn::LeakyReLU(0.1), nn::AdaptiveAvgPool2d((1, 1)) }
    D<3, 32, 32> { BatchNormalization(momentum=0.99, epsilon=0.001), UpSampling2D(size=(2, 2), interpolation="bilinear") }
    E<3, 32, 32> { ZeroPad2d((1, 2, 3, 4)), ZeroPadding2D(((1, 0), (2, 3))), Conv2DTranspose(8, 2, strides=2) }
    F<3, 32, 32> { GlobalAveragePooling2D(), Activation("tanh"), Softmax(dim=1), CrossEntropyLoss() }
    G<3, 32, 32> { Concatenate(a, b), SeparableConv2D(32, 3), Conv1d(1, 16, 5), Reshape((7, 7, 16)), LSTM(16), LocalResponseNorm(5, alpha=0.001), LeakyReLU(alpha=0.3) }
    H<3, 32, 32> { Conv2d<16, 3>(stride = 2), Upsample(scale_factor=2, mode="bilinear", align_corners=True) }
}

fn main() {}

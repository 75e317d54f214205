//! Activations that a layer before them applies.

use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::kernel::pointwise::activation::then;
use cnn_core::kernel::{FusedActivation, Then};

pub(crate) const ALL: [Activation; 10] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu { negative_slope: 0.01 },
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Hardsigmoid,
    Activation::Hardswish,
    Activation::Silu,
    Activation::Gelu { approximate: GeluApproximation::None },
    Activation::Gelu { approximate: GeluApproximation::Tanh },
];

/// All of them as functions that are not applied in registers.
pub(crate) static THEN: [Then; 10] = {
    let mut all = [then(ALL[0]); 10];
    let mut index = 1;
    while index < all.len() {
        all[index] = then(ALL[index]);
        index += 1;
    }
    all
};

/// It as a layer's, where it is one of these.
pub(crate) fn fused(activation: Option<Activation>) -> FusedActivation {
    match activation {
        None => FusedActivation::None,
        Some(Activation::Relu) => FusedActivation::Relu,
        Some(Activation::Relu6) => FusedActivation::Relu6,
        Some(activation) => {
            FusedActivation::Then(&THEN[ALL.iter().position(|other| *other == activation).expect("it is one of these")])
        }
    }
}

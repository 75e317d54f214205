//! Functions of one value, and their derivatives. <https://pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity>
//!
//! Where a function has a kink the derivative is the one that PyTorch takes:
//! <https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/Activation.cpp>

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

use super::erf;
use crate::kernel::geometry::{Activation, GeluApproximation};

/// input -> output, of any shape
pub fn forward(activation: Activation, input: &[f64]) -> Vec<f64> {
    input.iter().map(|&x| value(activation, x)).collect()
}

/// input, grad_output -> grad_input
pub fn backward(activation: Activation, input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    assert_eq!(input.len(), grad_output.len());
    input.iter().zip(grad_output).map(|(&x, grad)| gradient(activation, x, *grad)).collect()
}

/// What is flat passes no gradient, however large; elsewhere it is a product.
fn gradient(activation: Activation, x: f64, grad: f64) -> f64 {
    if is_flat(activation, x) { 0.0 } else { grad * derivative(activation, x) }
}

/// Whether a function with kinks is the same number around `x`. At NaN PyTorch's `hardsigmoid` is, and no other one.
fn is_flat(activation: Activation, x: f64) -> bool {
    match activation {
        Activation::Relu => x <= 0.0,
        Activation::Relu6 => x <= 0.0 || x >= 6.0,
        Activation::Hardsigmoid => x.is_nan() || x <= -3.0 || x >= 3.0,
        Activation::Hardswish => x <= -3.0,
        _ => false,
    }
}

/// The function. NaN stays NaN.
pub fn value(activation: Activation, x: f64) -> f64 {
    match activation {
        // `f64::max` would turn NaN into zero.
        Activation::Relu => {
            if x <= 0.0 {
                0.0
            } else {
                x
            }
        }
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { negative_slope } => {
            if x > 0.0 {
                x
            } else {
                negative_slope * x
            }
        }
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Hardsigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu { approximate: GeluApproximation::None } => x * 0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)),
        Activation::Gelu { approximate: GeluApproximation::Tanh } => x * 0.5 * (1.0 + gelu_tanh(x).0),
    }
}

/// The derivative of [`value`].
pub fn derivative(activation: Activation, x: f64) -> f64 {
    if is_flat(activation, x) {
        return 0.0;
    }
    match activation {
        Activation::Relu | Activation::Relu6 => 1.0,
        Activation::LeakyRelu { negative_slope } => {
            if x > 0.0 {
                1.0
            } else {
                negative_slope
            }
        }
        Activation::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        Activation::Tanh => 1.0 - x.tanh() * x.tanh(),
        Activation::Hardsigmoid => 1.0 / 6.0,
        Activation::Hardswish => {
            if x >= 3.0 {
                1.0
            } else {
                x / 3.0 + 0.5
            }
        }
        Activation::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        // The distribution function, and `x` times its derivative, the density of the normal distribution.
        Activation::Gelu { approximate: GeluApproximation::None } => {
            0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
        }
        Activation::Gelu { approximate: GeluApproximation::Tanh } => {
            // It does not change any more, and cubes stay finite.
            let x = x.clamp(-50.0, 50.0);
            let (tanh, inner) = gelu_tanh(x);
            0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `tanh(sqrt(2 / pi) (x + 0.044715 x^3))`, and the derivative of what stands in the brackets.
/// <https://pytorch.org/docs/stable/generated/torch.nn.GELU.html>
fn gelu_tanh(x: f64) -> (f64, f64) {
    const SQRT_2_PI: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
    ((SQRT_2_PI * (x + 0.044715 * x * x * x)).tanh(), SQRT_2_PI * (1.0 + 3.0 * 0.044715 * x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let leaky = Activation::LeakyRelu { negative_slope: 0.5 };
        for (activation, x, expected, slope) in [
            (Activation::Relu, -1.0, 0.0, 0.0),
            (Activation::Relu6, 7.0, 6.0, 0.0),
            (Activation::Relu6, 5.0, 5.0, 1.0),
            (leaky, -4.0, -2.0, 0.5),
            (leaky, 4.0, 4.0, 1.0),
            (Activation::Sigmoid, 0.0, 0.5, 0.25),
            (Activation::Tanh, 0.0, 0.0, 1.0),
            (Activation::Hardsigmoid, 0.0, 0.5, 1.0 / 6.0),
            (Activation::Hardsigmoid, -4.0, 0.0, 0.0),
            (Activation::Hardswish, 1.5, 1.125, 1.0),
            (Activation::Hardswish, 4.0, 4.0, 1.0),
            (Activation::Silu, 0.0, 0.0, 0.5),
            (Activation::Gelu { approximate: GeluApproximation::None }, 0.0, 0.0, 0.5),
            (Activation::Gelu { approximate: GeluApproximation::Tanh }, 0.0, 0.0, 0.5),
        ] {
            assert_eq!((value(activation, x), derivative(activation, x)), (expected, slope), "{activation:?}({x})");
        }
    }

    #[test]
    fn kinks_have_pytorchs_slope() {
        let leaky = Activation::LeakyRelu { negative_slope: 0.5 };
        for (activation, x, slope) in [
            (Activation::Relu, 0.0, 0.0),
            (Activation::Relu6, 0.0, 0.0),
            (Activation::Relu6, 6.0, 0.0),
            (leaky, 0.0, 0.5),
            (Activation::Hardsigmoid, -3.0, 0.0),
            (Activation::Hardsigmoid, 3.0, 0.0),
            (Activation::Hardswish, -3.0, 0.0),
            (Activation::Hardswish, 3.0, 1.0),
        ] {
            assert_eq!(derivative(activation, x), slope, "{activation:?}({x})");
        }
    }

    #[test]
    fn nan_stays() {
        let gelu = Activation::Gelu { approximate: GeluApproximation::None };
        for activation in [Activation::Relu, Activation::Relu6, Activation::Hardsigmoid, Activation::Hardswish, gelu] {
            assert!(value(activation, f64::NAN).is_nan(), "{activation:?}");
        }
    }
}

//! Each function as a network: the weights of a linear layer that gets 1 are the numbers that it is called with, so that their
//! gradients are its slopes. Beside PyTorch's at special numbers, and beside its own in f64 at many others.

use cnn_core::layer::Operation;
use cnn_core::loss::Loss;
use cnn_core::prelude::*;
use cnn_core::tensor::{Samples, SamplesMut};

use super::common;
use super::pytorch::{self, Function, INPUTS};

/// The sum of all outputs.
struct Sum;

impl<const N: usize> Loss<Flat<N>> for Sum {
    fn evaluate(&self, _: Samples<'_, Flat<N>>, mut grad_output: SamplesMut<'_, Flat<N>>) -> Result<f32, Error> {
        grad_output.values().fill(1.0);
        // It may be infinite, which is no error here.
        Ok(0.0)
    }
}

/// Values and slopes of a network's expression at its weights.
fn values_and_slopes<N: Network<Input = Flat<1>, Output = Flat<C>>, const C: usize>(numbers: &[f32]) -> [Vec<f32>; 2] {
    let mut net = N::new(0);
    net.weights_mut().values_mut().copy_from_slice(numbers);
    let mut training = Training::new(0);
    let one = Batch::from_nchw(&[1.0]).expect("one sample");
    training.backward(Mode::Training, &mut net, &one, &Sum).expect("it is finite");
    [training.output().values().to_vec(), training.gradients().values().to_vec()]
}

/// The same number, or none in the same way; of ordinary numbers as much as PyTorch has of them.
fn is_close(found: f32, expected: f32) -> bool {
    if !found.is_finite() || !expected.is_finite() {
        return found.is_nan() && expected.is_nan() || found == expected;
    }
    (found - expected).abs() <= 2e-6 * expected.abs() + 1e-6
}

const MANY: usize = 100_000;

/// Numbers of usual sizes, none of them at a kink.
fn many() -> Vec<f32> {
    let of = |(index, value): (usize, f32)| match index % 4 {
        0 => value,
        1 => value * 10.0,
        2 => value * 40.0,
        _ => value * 0.01,
    };
    common::values(MANY, 8).into_iter().enumerate().map(of).collect()
}

/// A network of an expression at the special numbers, and one at many.
macro_rules! function {
    ($name:ident, $pytorch:ident, $least:expr, $($step:tt)*) => {
        #[test]
        fn $name() {
            network! {
                /// At special numbers.
                Special<1> { linear<69>(bias = false), $($step)* }
                /// At many.
                Many<1> { linear<100_000>(bias = false), $($step)* }
            }
            let [values, slopes] = values_and_slopes::<Special, 69>(&INPUTS);
            let Function { values: expected, gradients } = pytorch::$pytorch;
            for (index, x) in INPUTS.iter().enumerate() {
                // The layer's sum makes zero of it; and C's `pow` has infinity where a root has none.
                if x.to_bits() == (-0.0_f32).to_bits() || *x == f32::NEG_INFINITY && stringify!($name) == "one_and_a_half" {
                    continue;
                }
                let found = [values[index], slopes[index]];
                let pytorch = [expected[index], gradients[index]];
                let same = [0, 1].map(|which| is_close(found[which], pytorch[which]));
                assert!(same == [true; 2], "at {x:e}: {found:?}, PyTorch {pytorch:?}");
            }
            let Operation::Map(written) = Many::STEPS[1].operation else { panic!("it is an expression") };
            let numbers: Vec<f32> = many().iter().map(|x| if *x < $least { -x } else { *x }).collect();
            let [values, slopes] = values_and_slopes::<Many, MANY>(&numbers);
            let value = |x: f64| (written.evaluate)(&[x], &mut [0.0]);
            for (index, x) in numbers.iter().map(|x| f64::from(*x)).enumerate() {
                let mut slope = [0.0];
                let expected = (written.evaluate)(&[x], &mut slope);
                for (found, expected) in [(values[index], expected), (slopes[index], slope[0])] {
                    let off = (f64::from(found) - expected).abs();
                    assert!(off <= 1e-6 * expected.abs() + 1e-6 * expected.abs().min(1.0) + 1e-7, "at {x}: {found} {expected}");
                }
                // Central differences, but across a kink.
                let step = 1e-6 * x.abs().max(1e-3);
                let [below, above] = [x - step, x + step];
                let difference = (value(above) - value(below)) / (2.0 * step);
                let is_kink = [-3.0, 0.0, 3.0, 6.0].iter().any(|kink| (below..=above).contains(kink));
                let scale = slope[0].abs() + expected.abs() / x.abs().max(1e-3);
                assert!(is_kink || (difference - slope[0]).abs() <= 1e-4 * scale + 1e-7, "at {x}: {} {difference}", slope[0]);
            }
        }
    };
}

function!(exp, EXP_OF, f32::MIN, map(|x| exp(x)));
function!(exp_m1, EXP_M1_OF, f32::MIN, map(|x| exp_m1(x)));
function!(ln, LN_OF, 0.0, map(|x| ln(x)));
function!(ln_1p, LN_1P_OF, -0.9, map(|x| ln_1p(x)));
function!(sqrt, SQRT_OF, 0.0, map(|x| sqrt(x)));
function!(abs, ABS_OF, f32::MIN, map(|x| abs(x)));
function!(sign, SIGN_OF, f32::MIN, map(|x| sign(x)));
function!(relu, RELU_OF, f32::MIN, map(|x| relu(x)));
function!(tanh, TANH_OF, f32::MIN, map(|x| tanh(x)));
function!(sigmoid, SIGMOID_OF, f32::MIN, map(|x| sigmoid(x)));
function!(softplus, SOFTPLUS_OF, f32::MIN, map(|x| softplus(x)));
function!(erf, ERF_OF, f32::MIN, map(|x| erf(x)));
function!(square, SQUARE_OF, f32::MIN, map(|x| pow(x, 2)));
function!(cube, CUBE_OF, f32::MIN, map(|x| x.pow(3)));
function!(inverse, INVERSE_OF, 0.001, map(|x| pow(x, -1)));
function!(one_and_a_half, ONE_AND_A_HALF_OF, 0.0, map(|x| pow(x, 1.5)));
function!(maximum, MAX_OF, f32::MIN, map(|x| max(x, 3)));
function!(minimum, MIN_OF, f32::MIN, map(|x| min(3, x)));
function!(clamp, CLAMP_OF, f32::MIN, map(|x| clamp(x, -3, 6)));
function!(choice, CHOICE_OF, f32::MIN, map(|x| if x < 3 { -x } else { x * 2 }));
function!(swish, SWISH_OF, f32::MIN, map(|x| x * sigmoid(x)));
function!(sixth, SIXTH_OF, f32::MIN, map(|x| x / 6));
function!(softsign, SOFTSIGN_OF, f32::MIN, map(|x| x / (1 + abs(x))));
function!(
    cross_entropy,
    CROSS_ENTROPY_OF,
    f32::MIN,
    map(|x| {
        let rest = ln_1p(exp(-abs(x)));
        max(x, 0) - x * 0.25 + rest
    })
);
function!(elu, ELU_OF, f32::MIN, elu(alpha = 0.5));
function!(celu, CELU_OF, f32::MIN, celu(alpha = 1.5));
function!(selu, SELU_OF, f32::MIN, selu);
function!(mish, MISH_OF, f32::MIN, mish);
function!(softplus_layer, SOFTPLUS_LAYER_OF, f32::MIN, softplus(beta = 2, threshold = 12));
function!(hardtanh, HARDTANH_OF, f32::MIN, hardtanh(min_val = -3, max_val = 6));
function!(threshold, THRESHOLD_OF, f32::MIN, threshold(threshold = 3, value = -0.5));
function!(softsign_layer, SOFTSIGN_OF, f32::MIN, softsign);
function!(logsigmoid, LOGSIGMOID_OF, f32::MIN, logsigmoid);
function!(tanhshrink, TANHSHRINK_OF, f32::MIN, tanhshrink);

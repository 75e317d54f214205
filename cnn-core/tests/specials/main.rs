//! Activations, joins, softmax and losses at NaN, infinity, zero, the smallest and the largest numbers, at kinks and where
//! exponentials end: values and gradients beside PyTorch's, on every instruction set.
//!
//! PyTorch's are in `pytorch.rs`, which `benches/peers/specials.py` writes. How exact ordinary values are is held to the
//! reference, in `kernel_activation.rs` and `loss.rs`.

#[path = "../kernel/mod.rs"]
mod kernel;
#[rustfmt::skip]
mod pytorch;

use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{Activation, Conv2dAlgorithm, Conv2dGeometry, GeluApproximation, Layout, Padding};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::{join, prelu, softmax};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::loss::{cross_entropy_rows, mse_rows};
use cnn_core::reference;
use kernel::{everywhere, wide};
use pytorch::{A, B, Function, INPUTS, ROWS};

/// The same number, or none in the same way; of ordinary numbers as much as PyTorch has of them: it takes differences from
/// one in f32.
fn is_close(found: f32, expected: f32) -> bool {
    if !found.is_finite() || !expected.is_finite() {
        return found.is_nan() && expected.is_nan() || found == expected;
    }
    (found - expected).abs() <= 2e-6 * expected.abs() + 6e-7
}

const FUNCTIONS: [(Activation, Function); 10] = [
    (Activation::Relu, pytorch::RELU),
    (Activation::Relu6, pytorch::RELU6),
    (Activation::LeakyRelu { negative_slope: 0.01 }, pytorch::LEAKY_RELU),
    (Activation::Sigmoid, pytorch::SIGMOID),
    (Activation::Tanh, pytorch::TANH),
    (Activation::Hardsigmoid, pytorch::HARDSIGMOID),
    (Activation::Hardswish, pytorch::HARDSWISH),
    (Activation::Silu, pytorch::SILU),
    (Activation::Gelu { approximate: GeluApproximation::None }, pytorch::GELU),
    (Activation::Gelu { approximate: GeluApproximation::Tanh }, pytorch::GELU_TANH),
];

/// The gradients of the output that PyTorch's tables are of.
const GRADIENTS: [f32; 2] = [1.0, f32::INFINITY];

fn forward(function: Activation) -> Vec<f32> {
    let mut output = vec![0.0; INPUTS.len()];
    activation::forward(function, 1, Rows::dense(&INPUTS), RowsMut::dense(&mut output));
    output
}

fn backward(function: Activation, remembered: Remembered<'_>, grad: f32) -> Vec<f32> {
    let (grad_output, mut grad_input) = (vec![grad; INPUTS.len()], vec![f32::NAN; INPUTS.len()]);
    let to = RowsMut::dense(&mut grad_input);
    activation::backward(function, 1, remembered, Rows::dense(&grad_output), to, Write::Store);
    let mut in_place = grad_output;
    activation::backward_in_place(function, 1, remembered, RowsMut::dense(&mut in_place));
    assert!(grad_input.iter().zip(&in_place).all(|(a, b)| a.to_bits() == b.to_bits()));
    grad_input
}

#[test]
fn values_of_activations() {
    everywhere(false, || {
        for (function, pytorch) in FUNCTIONS {
            let right = reference::activation::forward(function, &wide(&INPUTS));
            for (((x, found), expected), right) in INPUTS.iter().zip(forward(function)).zip(pytorch.values).zip(right) {
                // Ours is better: PyTorch's `hardswish` multiplies by 6 and its `gelu` by 2 before they divide, and of
                // infinity its `gelu` is NaN in a vector and infinity alone.
                let overflows = !expected.is_finite() && *x > 1e38 && is_close(found, right as f32);
                assert!(is_close(found, expected) || overflows, "{function:?}({x:e}): {found:e}, {expected:e}");
            }
        }
        Vec::new()
    });
}

#[test]
fn gradients_of_activations() {
    everywhere(false, || {
        for (function, pytorch) in FUNCTIONS {
            let output = forward(function);
            let mut remembered = vec![Remembered::Input(Rows::dense(&INPUTS))];
            if function.slope_of_output() {
                remembered.push(Remembered::Output(Rows::dense(&output)));
            }
            for remembered in remembered {
                let slopes = backward(function, remembered, 1.0);
                for (grad, expected) in GRADIENTS.into_iter().zip(pytorch.gradients) {
                    let found = backward(function, remembered, grad);
                    for (((x, slope), found), expected) in INPUTS.iter().zip(&slopes).zip(found).zip(expected) {
                        let differs = may_differ(function, remembered, *x, *slope, grad, found, expected);
                        let place = format!("{function:?} at {x:e}, gradient {grad}, told from {remembered:.1?}");
                        assert!(is_close(found, expected) || differs, "{found:e}, {expected:e}: {place:.120}");
                    }
                }
            }
        }
        Vec::new()
    });
}

/// Where ours differs from PyTorch's.
fn may_differ(
    function: Activation,
    remembered: Remembered<'_>,
    x: f32,
    slope: f32,
    grad: f32,
    found: f32,
    expected: f32,
) -> bool {
    match function {
        // NaN does not vanish. PyTorch says so of a number alone, and of `relu`; in a vector its `relu6` says zero.
        Activation::Relu6 if x.is_nan() => found == grad,
        // The value, which the slope is told from, is 1 already.
        Activation::Hardsigmoid if matches!(remembered, Remembered::Output(_)) && x == 3.0_f32.next_down() => {
            found == 0.0
        }
        // Ours is better: PyTorch's cubes overflow from 1e13 on.
        Activation::Gelu { approximate: GeluApproximation::Tanh } if x.abs() > 1e12 => {
            let slope = if x > 0.0 { 1.0 } else { 0.0 };
            expected.is_nan() && is_close(found, slope * grad)
        }
        // Ours is better: slopes whose digits PyTorch lost are not zero, and times infinity they are not NaN.
        Activation::Sigmoid | Activation::Tanh | Activation::Silu | Activation::Gelu { .. } => {
            expected.is_nan() && grad.is_infinite() && slope != 0.0 && slope.abs() < 1e-6 && found == slope * grad
        }
        _ => false,
    }
}

#[test]
fn a_learned_rectifier() {
    let weight = [0.25];
    everywhere(false, || {
        let mut output = vec![f32::NAN; INPUTS.len()];
        prelu::forward(1, &weight, Rows::dense(&INPUTS), RowsMut::dense(&mut output));
        for ((x, found), expected) in INPUTS.iter().zip(output).zip(pytorch::PRELU.values) {
            assert!(is_close(found, expected), "prelu({x:e}): {found:e}, {expected:e}");
        }
        for (which, grad) in GRADIENTS.into_iter().enumerate() {
            for (index, x) in INPUTS.into_iter().enumerate() {
                let (mut grad_input, mut grad_weight) = ([f32::NAN], [f32::NAN]);
                let to = Some((RowsMut::dense(&mut grad_input), Write::Store));
                let (x, grad) = ([x], [grad]);
                let (input, grad_output, mut scratch) = (Rows::dense(&x), Rows::dense(&grad), Scratch::default());
                prelu::backward(1, &weight, input, grad_output, to, &mut grad_weight, &mut scratch);
                let expected = [pytorch::PRELU.gradients[which][index], pytorch::PRELU_WEIGHT[which][index]];
                assert!(is_close(grad_input[0], expected[0]), "{x:?}, {grad:?}: {grad_input:?}, {expected:?}");
                assert!(is_close(grad_weight[0], expected[1]), "{x:?}, {grad:?}: {grad_weight:?}, {expected:?}");
            }
        }
        Vec::new()
    });
}

/// The largest numbers stay what they are, and so does their sign.
fn is_same(found: f32, expected: f32) -> bool {
    found.is_nan() && expected.is_nan() || found == expected
}

#[test]
fn joins() {
    let check = |what: &str, found: &[f32], expected: &[f32]| {
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(is_same(*found, *expected), "{what} of {:e} and {:e}: {found:e}, {expected:e}", A[index], B[index]);
        }
    };
    everywhere(false, || {
        let (a, b, mut output) = (Rows::dense(&A), Rows::dense(&B), vec![f32::NAN; A.len()]);
        join::add(1, FusedActivation::None, a, b, RowsMut::dense(&mut output));
        check("sum", &output, &pytorch::SUMS);
        join::multiply(1, a, b, RowsMut::dense(&mut output), Write::Store);
        check("product", &output, &pytorch::PRODUCTS);
        join::copy(1, a, RowsMut::dense(&mut output));
        check("copy", &output, &A);
        join::add(1, FusedActivation::Relu, a, b, RowsMut::dense(&mut output));
        check("rectified sum", &output, &pytorch::RECTIFIED_SUMS);
        let mut slopes = vec![1.0; A.len()];
        join::rectify_backward(1, FusedActivation::Relu, Rows::dense(&output), RowsMut::dense(&mut slopes));
        check("slope of the rectified sum", &slopes, &pytorch::RECTIFIED_SLOPES);
        Vec::new()
    });
}

#[test]
fn rectifiers_behind_a_convolution() {
    for (fused, pytorch) in [(FusedActivation::Relu, pytorch::RELU), (FusedActivation::Relu6, pytorch::RELU6)] {
        for channels in [1, 3] {
            let geometry = Conv2dGeometry {
                in_channels: channels,
                in_size: [1, INPUTS.len()],
                out_channels: channels,
                kernel_size: [1, 1],
                stride: [1, 1],
                padding: Padding::symmetric([0, 0]),
                unread: [0, 0],
                algorithm: Conv2dAlgorithm::Auto,
                dilation: [1, 1],
                groups: channels,
                layout: Layout::DENSE,
            };
            let input: Vec<f32> = INPUTS.iter().flat_map(|x| vec![*x; channels]).collect();
            everywhere(false, || {
                let (mut output, mut scratch) = (vec![f32::NAN; input.len()], Scratch::default());
                let epilogue = Epilogue { fused, ..Epilogue::default() };
                convolution::forward(&geometry, epilogue, &input, &vec![1.0; channels], &mut output, &mut scratch);
                for (x, found) in input.iter().zip(&output) {
                    let index = INPUTS.iter().position(|y| y.to_bits() == x.to_bits()).expect("one of them");
                    assert!(is_same(*found, pytorch.values[index]), "{fused:?}({x:e}): {found:e}");
                }
                let mut grads = vec![f32::INFINITY; input.len()];
                join::rectify_backward(channels, fused, Rows::dense(&output), RowsMut::dense(&mut grads));
                for (cell, x) in INPUTS.iter().enumerate() {
                    // At NaN all of it, as above.
                    let expected = if x.is_nan() { f32::INFINITY } else { pytorch.gradients[1][cell] };
                    assert_eq!(grads[cell * channels], expected, "{fused:?} at {x:e}");
                }
                Vec::new()
            });
        }
    }
}

type Pair = [f32; 2];
type SoftmaxBackward = fn(usize, Rows<'_>, Rows<'_>, RowsMut<'_>, Write);

/// A softmax beside PyTorch's outputs, and gradients where that of the output is `[1, 0]`.
fn check_softmax(
    forward: fn(usize, Rows<'_>, RowsMut<'_>),
    backward: SoftmaxBackward,
    [outputs, gradients]: [[Pair; ROWS.len()]; 2],
) {
    everywhere(false, || {
        for ((row, output), gradient) in ROWS.iter().zip(outputs).zip(gradients) {
            let (mut found, mut grad) = ([f32::NAN; 2], [f32::NAN; 2]);
            forward(2, Rows::dense(row), RowsMut::dense(&mut found));
            backward(2, Rows::dense(&found), Rows::dense(&[1.0, 0.0]), RowsMut::dense(&mut grad), Write::Store);
            for (found, expected) in found.into_iter().chain(grad).zip(output.into_iter().chain(gradient)) {
                assert!(is_close(found, expected), "{row:?}: {found:e}, {expected:e}");
            }
        }
        Vec::new()
    });
}

#[test]
fn softmax_and_its_logarithm() {
    check_softmax(softmax::forward, softmax::backward, [pytorch::SOFTMAX, pytorch::SOFTMAX_GRADIENT]);
    check_softmax(softmax::log_forward, softmax::log_backward, [pytorch::LOG_SOFTMAX, pytorch::LOG_SOFTMAX_GRADIENT]);
}

#[test]
fn cross_entropy() {
    let of_labels = [
        (pytorch::CROSS_ENTROPY_0, pytorch::CROSS_ENTROPY_0_GRADIENT),
        (pytorch::CROSS_ENTROPY_1, pytorch::CROSS_ENTROPY_1_GRADIENT),
    ];
    for (label, (losses, gradients)) in of_labels.into_iter().enumerate() {
        for ((row, loss), gradient) in ROWS.iter().zip(losses).zip(gradients) {
            let mut grad = [f32::NAN; 2];
            let found = cross_entropy_rows(2, row, &[label], 1, &mut grad).unwrap() as f32;
            assert!(is_close(found, loss), "{row:?}, label {label}: {found:e}, {loss:e}");
            for (found, expected) in grad.into_iter().zip(gradient) {
                assert!(is_close(found, expected), "gradient of {row:?}, label {label}: {found:e}, {expected:e}");
            }
        }
    }
}

#[test]
fn squared_errors() {
    let gradients = pytorch::SQUARED_ERRORS_GRADIENT;
    for (((a, b), loss), gradient) in A.iter().zip(B).zip(pytorch::SQUARED_ERRORS).zip(gradients) {
        let mut grad = [f32::NAN];
        let found = mse_rows(1, &[*a], &[b], 1, &mut grad).unwrap() as f32;
        assert!(is_same(found, loss), "{a:e}, {b:e}: {found:e}, {loss:e}");
        assert!(is_same(grad[0], gradient), "gradient of {a:e}, {b:e}: {:e}, {gradient:e}", grad[0]);
    }
}

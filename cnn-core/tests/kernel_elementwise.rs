//! Loops over single values, long enough for several pieces and a rest.

mod kernel;

use cnn_core::kernel::{Write, elementwise};
use cnn_core::reference;
use kernel::{everywhere, whole_numbers, wide};

const LEN: usize = 3 * 32768 * 3 + 5;

#[test]
fn relu_and_its_gradient() {
    let (input, grad) = (whole_numbers(LEN, 1), whole_numbers(LEN, 2));
    let output = everywhere(true, || {
        let (mut output, mut in_place) = (vec![f32::NAN; LEN], input.clone());
        elementwise::relu_from(&input, &mut output);
        elementwise::relu(&mut in_place);
        assert_eq!(output, in_place);
        output
    });
    assert_eq!(wide(&output), reference::relu::forward(&wide(&input)));
    let expected = reference::relu::backward(&wide(&input), &wide(&grad));
    let stored = everywhere(true, || {
        let (mut stored, mut in_place, mut added) = (vec![f32::NAN; LEN], grad.clone(), vec![1.0; LEN]);
        elementwise::relu_backward(&output, &grad, &mut stored, Write::Store);
        elementwise::relu_backward_in_place(&output, &mut in_place);
        elementwise::relu_backward(&output, &grad, &mut added, Write::Add);
        assert_eq!(stored, in_place);
        assert!(stored.iter().zip(&added).all(|(stored, added)| stored + 1.0 == *added));
        stored
    });
    assert_eq!(wide(&stored), expected);
}

#[test]
fn relu_keeps_nan() {
    let mut values = [f32::NAN, -1.0, 2.0];
    elementwise::relu(&mut values);
    assert!(values[0].is_nan());
    assert_eq!(values[1..], [0.0, 2.0]);
}

#[test]
fn sums_products_and_copies() {
    let (x, y) = (whole_numbers(LEN, 1), whole_numbers(LEN, 2));
    let found = everywhere(true, || {
        let mut z = vec![f32::NAN; LEN];
        elementwise::copy(&y, &mut z);
        elementwise::add(&x, &mut z);
        elementwise::axpy(-3.0, &x, &mut z);
        elementwise::multiply(&x, &mut z);
        elementwise::scale(0.5, &mut z);
        z
    });
    let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| (y + x - 3.0 * x) * x * 0.5).collect();
    assert_eq!(found, expected);
}

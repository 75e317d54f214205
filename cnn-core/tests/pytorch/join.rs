use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::multiply::{self, Branch};
use cnn_core::reference::{add, concat, dropout2d};

use super::{assert_checksums, check_layer, checksum, values};

const SIZE: [usize; 2] = [4, 5];

/// Values of two samples of a map.
fn branch(seed: usize, channels: usize, size: [usize; 2]) -> Vec<f64> {
    chw_to_hwc(channels, size, &values(seed, 2 * channels * size[0] * size[1]))
}

fn found(channels: usize, size: [usize; 2], values: &[f64]) -> f64 {
    checksum(&hwc_to_chw(channels, size, values))
}

#[test]
fn add_is_pytorchs() {
    let branches = [1, 2, 3].map(|seed| branch(seed, 3, SIZE));
    let output = add::forward(&[&branches[0], &branches[1], &branches[2]]);
    let gradients = add::backward(3, &branch(9, 3, SIZE));
    let found = [&output, &gradients[0], &gradients[1], &gradients[2]].map(|values| found(3, SIZE, values));
    assert_checksums(found, [179.0, -30.0, -30.0, -30.0], &"add");
}

#[test]
fn multiply_is_pytorchs() {
    let [first, gate, last] = [(1, SIZE), (2, [1, 1]), (3, SIZE)].map(|(seed, size)| branch(seed, 3, size));
    let branches = [(20, &first), (1, &gate), (20, &last)].map(|(positions, values)| Branch { positions, values });
    let output = multiply::forward(3, &branches);
    let gradients = multiply::backward(3, &branches, &branch(9, 3, SIZE));
    let found = [
        found(3, SIZE, &output),
        found(3, SIZE, &gradients[0]),
        found(3, [1, 1], &gradients[1]),
        found(3, SIZE, &gradients[2]),
    ];
    assert_checksums(found, [206.0, 13364.0, 949.0, -20163.0], &"multiply");
}

#[test]
fn concat_is_pytorchs() {
    let channels = [3, 1, 2];
    let branches = [(1, 3), (2, 1), (3, 2)].map(|(seed, channels)| branch(seed, channels, SIZE));
    let output = concat::forward(&channels, &[&branches[0], &branches[1], &branches[2]]);
    let gradients = concat::backward(&channels, &branch(9, 6, SIZE));
    let found = [
        found(6, SIZE, &output),
        found(3, SIZE, &gradients[0]),
        found(1, SIZE, &gradients[1]),
        found(2, SIZE, &gradients[2]),
    ];
    assert_checksums(found, [649.0, -453.0, 270.0, 214.0], &"concat");
}

/// With the mask that `fixtures/layers.py` multiplies by.
#[test]
fn dropout2d_is_pytorchs() {
    let (p, keep) = (0.25, [true, false, true, false, true, true]);
    check_layer(
        3,
        [SIZE, SIZE],
        &values(1, 120),
        |input| dropout2d::forward(p, 3, input, &keep),
        |_, grad_output| dropout2d::backward(p, 3, &keep, grad_output),
        [570.6666666666665, -361.3333333333333],
        &"dropout2d",
    );
}

use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::{log_softmax, loss, softmax};

use super::{assert_checksums, checksum, values};

#[test]
fn softmax_and_the_losses_are_pytorchs() {
    let logits: Vec<f64> = values(4, 20).iter().map(|x| x / 8.0).collect();
    let (labels, target) = ([0, 3, 1, 2, 1], values(5, 20));

    let output = softmax::forward(4, &logits);
    let grad_input = softmax::backward(4, &output, &values(9, 20));
    let found = [checksum(&output), checksum(&grad_input)];
    assert_checksums(found, [-1.5335249644567712, -45.53020549816273], &"softmax");

    let output = log_softmax::forward(4, &logits);
    let grad_input = log_softmax::backward(4, &output, &values(9, 20));
    let found = [checksum(&output), checksum(&grad_input)];
    assert_checksums(found, [18.102650208321826, -39.05430712386094], &"log_softmax");

    let grad = loss::cross_entropy_backward(4, &logits, &labels);
    let found = [loss::cross_entropy(4, &logits, &labels), checksum(&grad)];
    assert_checksums(found, [2.0416088713649208, 4.093295007108646], &"cross_entropy");

    let found = [loss::mse(&logits, &target), checksum(&loss::mse_backward(&logits, &target))];
    assert_checksums(found, [45.8734375, 9.125], &"mse");
}

/// PyTorch's logits are `[n, classes, h, w]` and its labels `[n, h, w]`; channels-last, each pixel is a row.
#[test]
fn cross_entropy_of_pixels_is_that_of_rows() {
    let (classes, size) = (4, [3, 5]);
    let logits: Vec<f64> = values(4, 2 * 4 * 15).iter().map(|x| x / 8.0).collect();
    let rows = chw_to_hwc(classes, size, &logits);
    let labels: Vec<usize> = (0..2 * 15).map(|pixel| pixel * 5 % classes).collect();
    let grad = hwc_to_chw(classes, size, &loss::cross_entropy_backward(classes, &rows, &labels));
    let found = [loss::cross_entropy(classes, &rows, &labels), checksum(&grad)];
    assert_checksums(found, [1.5896939316574554, -0.6102712801468354], &"cross_entropy of pixels");
}

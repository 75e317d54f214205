//! Losses of classes beside their definitions in f64, on maps of many pixels, and on any number of threads.

use cnn_core::loss::{Loss, NllLoss, SoftCrossEntropy};
use cnn_core::prelude::*;
use cnn_core::reference::loss;
use cnn_core::shape::Shape;

const WEIGHTS: [f32; 5] = [1.0, 2.0, 0.5, 0.0, 3.0];

/// More pixels than one thread takes at a time.
type Map = Chw<5, 60, 70>;

/// Numbers from -4 to 4.
fn values(seed: usize) -> Batch<Map> {
    let values: Vec<f32> = (0..2 * Map::LEN).map(|index| ((index + seed) * 7919 % 1009) as f32 / 126.0 - 4.0).collect();
    Batch::from_nhwc(&values).expect("as many as it takes")
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The loss and its gradient are as said, and of the same bits on any number of threads.
fn check(found: &impl Loss<Map>, output: &Batch<Map>, expected: f64, grad: &[f64]) {
    let results = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let mut gradient = Batch::zeros(output.len());
        let loss = pool.install(|| found.evaluate(output.samples(), gradient.samples_mut()).expect("a loss"));
        (loss.to_bits(), gradient)
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
    let (loss, gradient) = &results[0];
    let loss = f64::from(f32::from_bits(*loss));
    assert!((loss - expected).abs() < 1e-6 * expected.abs(), "{loss} {expected}");
    let largest = grad.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (index, (found, expected)) in gradient.values().iter().zip(grad).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-6 * largest, "{index}: {found} {expected}");
    }
}

#[test]
fn pixels_have_the_losses_of_the_definitions() -> Result<(), Error> {
    let (output, targets) = (values(1), values(500).map(|x| (x + 4.0) / 8.0));
    let classes: Vec<i32> = (0..2 * 60 * 70).map(|pixel| pixel * 31 % 7 - 1).map(|x| x.min(4)).collect();
    let labels = Labels::<5>::ignoring(-1, &classes)?;
    let (logits, weights) = (wide(output.values()), wide(&WEIGHTS));
    let expected = loss::nll(5, &logits, labels.as_slice(), &weights);
    let grad = loss::nll_backward(5, &logits, labels.as_slice(), &weights);
    check(&NllLoss::new(&labels).weights(&WEIGHTS)?, &output, expected, &grad);

    let wanted = wide(targets.values());
    let smoothing = f64::from(0.3_f32);
    let expected = loss::soft_cross_entropy(&logits, &wanted, &weights, smoothing);
    let grad = loss::soft_cross_entropy_backward(&logits, &wanted, &weights, smoothing);
    let soft = SoftCrossEntropy::new(&targets).weights(&WEIGHTS)?.label_smoothing(0.3)?;
    check(&soft, &output, expected, &grad);
    Ok(())
}

//! A map that is learned, the same for each sample.

use super::samples;

/// values `[h, w, c]` -> output `[n, h, w, c]`
pub fn forward(samples: usize, values: &[f64]) -> Vec<f64> {
    values.repeat(samples)
}

/// grad_output `[n, h, w, c]` -> the gradient of the `len` values, summed over the samples
pub fn backward(len: usize, grad_output: &[f64]) -> Vec<f64> {
    let samples = samples(grad_output.len(), len);
    (0..len).map(|value| (0..samples).map(|sample| grad_output[sample * len + value]).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_has_it() {
        assert_eq!(forward(2, &[1.0, 2.0]), [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(backward(2, &[1.0, 2.0, 3.0, 5.0]), [4.0, 7.0]);
    }
}

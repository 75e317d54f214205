//! The order of values that `flatten` stands for. <https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html>
//!
//! PyTorch flattens a map as `[c, h, w]`, and its weights expect that; in memory here a map is `[h, w, c]`. These
//! permutations, each the other's inverse and backward, tell the two apart. They move any values, not only `f64`.

use super::samples;

/// input `[n, h, w, c]` -> output `[n, c, h, w]`
pub fn hwc_to_chw<T: Copy>(channels: usize, size: [usize; 2], input: &[T]) -> Vec<T> {
    let pixels = size[0] * size[1];
    let n = samples(input.len(), pixels * channels);
    let mut output = Vec::with_capacity(input.len());
    for n in 0..n {
        for c in 0..channels {
            for pixel in 0..pixels {
                output.push(input[(n * pixels + pixel) * channels + c]);
            }
        }
    }
    output
}

/// input `[n, c, h, w]` -> output `[n, h, w, c]`
pub fn chw_to_hwc<T: Copy>(channels: usize, size: [usize; 2], input: &[T]) -> Vec<T> {
    let pixels = size[0] * size[1];
    let n = samples(input.len(), pixels * channels);
    let mut output = Vec::with_capacity(input.len());
    for n in 0..n {
        for pixel in 0..pixels {
            for c in 0..channels {
                output.push(input[(n * channels + c) * pixels + pixel]);
            }
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_apart_and_together_again() {
        let hwc = [11, 21, 12, 22, 13, 23, 31, 41, 32, 42, 33, 43];
        let chw = hwc_to_chw(2, [1, 3], &hwc);
        assert_eq!(chw, [11, 12, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43]);
        assert_eq!(chw_to_hwc(2, [1, 3], &chw), hwc);
    }
}

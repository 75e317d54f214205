//! Branches side by side: the channels of their maps, or the features where they are flat, in the order of the branches.

use super::samples;

/// branches, each `[rows, channels]` with its own channels -> output `[rows, sum of channels]`
///
/// Rows are the positions of all samples. <https://pytorch.org/docs/stable/generated/torch.cat.html>
pub fn forward(channels: &[usize], branches: &[&[f64]]) -> Vec<f64> {
    assert_eq!(channels.len(), branches.len());
    let rows = samples(branches[0].len(), channels[0]);
    let mut output = Vec::with_capacity(branches.iter().map(|branch| branch.len()).sum());
    for row in 0..rows {
        for (&channels, branch) in channels.iter().zip(branches) {
            assert_eq!(branch.len(), rows * channels);
            output.extend_from_slice(&branch[row * channels..(row + 1) * channels]);
        }
    }
    output
}

/// grad_output `[rows, sum of channels]` -> the gradient by each branch, its part of the channels
pub fn backward(channels: &[usize], grad_output: &[f64]) -> Vec<Vec<f64>> {
    let mut gradients = vec![Vec::new(); channels.len()];
    let width = channels.iter().sum();
    samples(grad_output.len(), width);
    for row in grad_output.chunks_exact(width) {
        let mut rest = row;
        for (&channels, gradient) in channels.iter().zip(&mut gradients) {
            let (own, behind) = rest.split_at(channels);
            gradient.extend_from_slice(own);
            rest = behind;
        }
    }
    gradients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_stand_side_by_side_and_come_apart_again() {
        let output = forward(&[2, 1], &[&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0]]);
        assert_eq!(output, [1.0, 2.0, 10.0, 3.0, 4.0, 20.0]);
        assert_eq!(backward(&[2, 1], &output), [vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0]]);
    }
}

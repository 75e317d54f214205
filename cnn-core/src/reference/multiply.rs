//! The product of branches. A branch whose map is 1 x 1 has one factor for all positions of a channel, as the gate of a
//! squeeze-and-excite block.

use super::samples;

/// A branch's map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch<'a> {
    /// Positions of its map: as many as the output's, or 1.
    pub positions: usize,
    /// Its values, `[n, positions, c]`.
    pub values: &'a [f64],
}

/// branches, each `[n, h, w, c]` or `[n, 1, 1, c]` -> output `[n, h, w, c]`
pub fn forward(channels: usize, branches: &[Branch<'_>]) -> Vec<f64> {
    let (n, positions) = sizes(channels, branches);
    (0..n * positions * channels)
        .map(|o| (0..branches.len()).map(|b| factor(channels, branches, b, o).1).product())
        .collect()
}

/// branches, each `[n, h, w, c]` or `[n, 1, 1, c]`, grad_output `[n, h, w, c]` -> the gradient by each branch: that of the
/// output times the other factors, summed where one value is the factor of all positions
pub fn backward(channels: usize, branches: &[Branch<'_>], grad_output: &[f64]) -> Vec<Vec<f64>> {
    let (n, positions) = sizes(channels, branches);
    assert_eq!(grad_output.len(), n * positions * channels);
    let gradient = |branch: usize| {
        let mut gradient = vec![0.0; branches[branch].values.len()];
        for (o, grad) in grad_output.iter().enumerate() {
            let others = (0..branches.len()).filter(|&other| other != branch);
            let product: f64 = others.map(|other| factor(channels, branches, other, o).1).product();
            gradient[factor(channels, branches, branch, o).0] += grad * product;
        }
        gradient
    };
    (0..branches.len()).map(gradient).collect()
}

/// The number of samples, and the positions of the output's map.
fn sizes(channels: usize, branches: &[Branch<'_>]) -> (usize, usize) {
    let largest = branches.iter().max_by_key(|branch| branch.positions).expect("a product of one branch or more");
    let n = samples(largest.values.len(), largest.positions * channels);
    for branch in branches {
        assert!(branch.positions == largest.positions || branch.positions == 1, "{} positions", branch.positions);
        assert_eq!(branch.values.len(), n * branch.positions * channels);
    }
    (n, largest.positions)
}

/// The flat index and the value of what a branch has for the output `o`.
fn factor(channels: usize, branches: &[Branch<'_>], branch: usize, o: usize) -> (usize, f64) {
    let (_, positions) = sizes(channels, branches);
    let Branch { positions: own, values } = branches[branch];
    let (n, position, c) = (o / channels / positions, o / channels % positions, o % channels);
    let index = (n * own + if own == 1 { 0 } else { position }) * channels + c;
    (index, values[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_gates_its_channel_of_its_sample() {
        let map = Branch { positions: 2, values: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] };
        let gate = Branch { positions: 1, values: &[10.0, 1.0, 0.0, 2.0] };
        assert_eq!(forward(2, &[map, gate]), [10.0, 2.0, 30.0, 4.0, 0.0, 12.0, 0.0, 16.0]);
        let gradients = backward(2, &[map, gate], &[1.0; 8]);
        assert_eq!(gradients[0], [10.0, 1.0, 10.0, 1.0, 0.0, 2.0, 0.0, 2.0]);
        assert_eq!(gradients[1], [4.0, 6.0, 12.0, 14.0]);
    }
}

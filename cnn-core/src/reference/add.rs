//! The sum of branches, of which each gives a map of the same shape.

/// branches, each `[n, ..]` -> output `[n, ..]`
pub fn forward(branches: &[&[f64]]) -> Vec<f64> {
    let (first, others) = branches.split_first().expect("a sum of one branch or more");
    let mut output = first.to_vec();
    for branch in others {
        assert_eq!(branch.len(), output.len());
        for (sum, x) in output.iter_mut().zip(*branch) {
            *sum += x;
        }
    }
    output
}

/// grad_output `[n, ..]` -> the gradient by each branch, which is the same
pub fn backward(branches: usize, grad_output: &[f64]) -> Vec<Vec<f64>> {
    vec![grad_output.to_vec(); branches]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_add_up_and_each_branch_gets_the_gradient() {
        assert_eq!(forward(&[&[1.0, 2.0], &[10.0, 20.0], &[100.0, 200.0]]), [111.0, 222.0]);
        assert_eq!(backward(2, &[1.0, 2.0]), [[1.0, 2.0], [1.0, 2.0]]);
    }
}

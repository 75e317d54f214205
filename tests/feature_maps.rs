//! What each step makes of a sample, and the gradients of that.

use cnn_core::network::{FeatureMap, feature_gradients, feature_maps};
use cnn_core::prelude::*;

network! {
    /// Convolutions that meet, and a part of a map.
    Joined<2, 4, 4> {
        a: conv2d<4, 3>(padding = 1), relu,
        concat { b: conv2d<3, 1>, c: [d: conv2d<2, 1>, tanh] },
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }
}

network! {
    /// A sum that nothing is left to do for on the way back, and a product.
    Added<2, 4, 4> {
        a: conv2d<4, 3>(padding = 1), add { [b: conv2d<4, 1>], [c: conv2d<4, 1>] }, batch_norm2d, multiply { [], [sigmoid] },
        max_pool2d<2>, concat { [], [mean(over = channels)] }, dropout, conv2d<3, 1>, flatten, fc: linear<2>,
    }

    /// Another network as a step, whose own steps are its business.
    Nested<2, 4, 4> { relu, joined: Joined, fc: linear<2> }
}

fn input() -> Tensor<Chw<2, 4, 4>> {
    let mut input = Tensor::zeros();
    input.values_mut().iter_mut().zip(0_u8..).for_each(|(value, index)| *value = f32::from(index % 7) - 3.0);
    input
}

#[test]
fn maps_are_those_that_the_steps_make() {
    let network = Joined::new(3);
    let maps = feature_maps(&network, &input());
    let steps: Vec<_> = maps.iter().map(|map| map.steps.as_slice()).collect();
    let names: Vec<_> = Joined::STEPS.iter().map(|step| step.layer).collect();
    assert_eq!(
        names,
        ["conv2d", "relu", "conv2d", "conv2d", "tanh", "concat", "adaptive_avg_pool2d", "flatten", "linear"]
    );
    assert_eq!(steps, [&[0, 1][..], &[2], &[3, 4], &[5], &[6, 7], &[8]]);
    assert_eq!(maps[0].sizes.to_string(), "4x4x4");
    assert!(maps[0].values.iter().all(|value| *value >= 0.0));

    // A branch's map lies among the channels of the concatenation; its mean is what the pooling makes.
    let mean = |map: &FeatureMap, channel| map.channel(channel).sum::<f32>() / 16.0;
    let means = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)].map(|(map, channel)| mean(&maps[map], channel));
    for (mean, pooled) in means.iter().zip(&maps[4].values) {
        assert!((mean - pooled).abs() < 1e-6, "{mean} {pooled}");
    }
    assert_eq!(maps[5].values, network.forward(&Batch::from(input())).values());
}

#[test]
fn gradients_are_those_of_a_last_linear_layer() {
    let network = Joined::new(3);
    let of_class = Batch::from_nchw(&[0.0, 1.0, 0.0]).unwrap();
    let gradients = feature_gradients(&network, &input(), &of_class).unwrap();
    let pooled = gradients.iter().find(|map| map.steps.contains(&6)).unwrap();
    let weight = network.weights().tensors().find(|tensor| tensor.name == "fc.weight").unwrap().to_pytorch();
    assert_eq!(pooled.values, weight[5..10]);
    let branch = gradients.iter().find(|map| map.steps.contains(&2)).unwrap();
    for (channel, weight) in weight[5..8].iter().enumerate() {
        assert!(branch.channel(channel).all(|value| (value - weight / 16.0).abs() < 1e-7));
    }
}

#[test]
fn each_map_has_a_gradient() {
    fn steps<N: Network>(net: &N, input: &Tensor<N::Input>) -> [Vec<Vec<usize>>; 2] {
        let mut of_output = Batch::zeros(1);
        of_output.values_mut().fill(1.0);
        let maps = [feature_maps(net, input), feature_gradients(net, input, &of_output).unwrap()];
        maps.map(|maps| maps.into_iter().map(|map| map.steps).collect())
    }
    let [maps, gradients] = steps(&Added::new(0), &input());
    assert_eq!(maps, gradients);
    let [maps, gradients] = steps(&Joined::new(0), &input());
    assert_eq!(maps, gradients);
}

#[test]
fn a_gradient_is_of_one_sample() {
    let error = feature_gradients(&Joined::new(0), &input(), &Batch::zeros(2)).unwrap_err();
    assert_eq!(error.to_string(), "expected 1 samples, found 2");
}

#[test]
fn a_network_that_is_a_step_has_one_map() {
    let (maps, net) = (feature_maps(&Nested::new(1), &input()), Nested::new(1));
    let steps: Vec<_> = maps.iter().map(|map| (map.steps.as_slice(), map.sizes.len())).collect();
    assert_eq!(steps, [(&[0][..], 32), (&[1], 3), (&[2], 2)]);
    let gradients = feature_gradients(&net, &input(), &Batch::from_nchw(&[1.0, 0.0]).unwrap()).unwrap();
    assert_eq!(gradients.iter().map(|map| map.steps[0]).collect::<Vec<_>>(), [0, 1, 2]);
}

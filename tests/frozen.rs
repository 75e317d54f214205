//! Frozen weights, and parts in evaluation mode: the same bits as where everything is differentiated and only some of it used.

mod common;

use cnn_core::layer::Operation;
use cnn_core::network::Network;
use cnn_core::prelude::*;
use common::values;

network! {
    block basic<C, S> {
        add {
            [
                conv1: conv2d<C, 3>(stride = S, padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            downsample: [conv2d<C, 1>(stride = S, bias = false), batch_norm2d],
        },
        relu,
    }

    /// Residual blocks, as torchvision's.
    pub Residual<3, 16, 16> {
        conv1: conv2d<8, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        layer1: basic<8, 1>, layer2: basic<16, 2>, layer3: basic<16, 2>,
        adaptive_avg_pool2d<1>, flatten, fc: linear<5>,
    }

    /// Maps go from the encoder to the decoder.
    pub UNet<1, 16, 16> {
        enc1: [conv2d<4, 3>(padding = 1), batch_norm2d, silu] as fine, max_pool2d<2>,
        enc2: [conv2d<8, 3>(padding = 1), batch_norm2d, gelu, dropout(p = 0.25)] as middle, max_pool2d<2>,
        bottom: [conv2d<8, 3>(padding = 1), relu],
        up2: [upsample(scale_factor = 2), concat { middle, [conv2d<4, 1>] }, conv: conv2d<8, 3>(padding = 1), relu],
        up1: [conv_transpose2d<4, 2>(stride = 2), concat { fine, [conv2d<4, 1>] }, conv: conv2d<4, 3>(padding = 1), relu],
        head: conv2d<1, 1>, adaptive_avg_pool2d<1>, flatten, fc: linear<5>,
    }

    /// Steps of every kind one after the other, some with the same weights.
    pub Chain<2, 8, 8> {
        stem: conv2d<6, 3>(padding = 1), prelu, norm: layer_norm, drop: dropout2d(p = 0.25),
        mixed: [linear<6>(over = channels), map(|x| x * sigmoid(x))],
        again: share<mixed>, group: group_norm<2>, scale: layer_scale,
        concat { conv2d<3, 1>, max_pool2d<1> }, down: conv2d<4, 2>(stride = 2),
        flatten, fc1: linear<16>, relu, dropout, fc2: linear<16>, tanh, batch_norm1d, fc3: linear<5>,
    }

    /// A network within another.
    pub Backbone<1, 12, 12> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, conv2: conv2d<6, 3>, bn2: batch_norm2d, relu }
    pub Nested<1, 12, 12> { body: Backbone, max_pool2d<2>, conv: conv2d<6, 3>(padding = 1), relu, flatten, fc: linear<5> }
}

/// What decides of a tensor by its name.
type Choice = dyn Fn(&str) -> bool;

/// Four steps, with what is frozen frozen, or with its gradient cleared by hand: of plain descent both are the same.
fn train<N: Network<Output = Flat<5>>>(is_frozen: &Choice, mode: Mode, by_hand: bool) -> (N, Vec<f32>) {
    let mut net = N::new(3);
    if !by_hand {
        net.freeze_weights_where(|name, _| is_frozen(name)).unwrap();
    }
    let mut training = Training::new(7);
    let mut optimizer = Sgd::<N>::new(SgdOptions::new(0.05)).unwrap();
    let labels = Labels::new(&[0_u8, 3, 1, 4]).unwrap();
    let mut losses = Vec::new();
    for step in 0..4 {
        let values = values(4 * <N::Input as cnn_core::shape::Shape>::LEN, step);
        let input = Batch::<N::Input>::from_nchw(&values).unwrap();
        losses.push(training.backward(mode, &mut net, &input, &CrossEntropy::new(&labels)).unwrap());
        let mut gradients = training.gradients().clone();
        let mut first = 0;
        for tensor in training.gradients().tensors() {
            let len = tensor.parameter.len();
            let values = &mut gradients.values_mut()[first..first + len];
            if is_frozen(&tensor.name) && by_hand {
                values.fill(0.0);
            }
            assert!(!is_frozen(&tensor.name) || values.iter().all(|value| *value == 0.0), "{}", tensor.name);
            first += len;
        }
        optimizer.step(&mut net, &gradients);
    }
    (net, losses)
}

fn same<N: Network<Output = Flat<5>>>(is_frozen: &Choice, mode: Mode) {
    let (frozen, losses) = train::<N>(is_frozen, mode, false);
    let (by_hand, expected) = train::<N>(is_frozen, mode, true);
    assert_eq!(losses, expected);
    for (found, expected) in frozen.weights().tensors().zip(by_hand.weights().tensors()) {
        assert_eq!(found.to_pytorch(), expected.to_pytorch(), "{}: {}", N::NAME, found.name);
    }
}

/// Each number of tensors at the beginning, and some choices that are no beginning.
fn same_whatever_is_frozen<N: Network<Output = Flat<5>>>() {
    let names: Vec<_> = N::new(0).weights().tensors().map(|tensor| tensor.name).collect();
    let trainable: Vec<_> =
        names.into_iter().filter(|name| !name.contains("running") && !name.contains("num_")).collect();
    for count in 1..trainable.len() {
        let first = trainable[..count].to_vec();
        let mode = if count % 3 == 0 { Mode::Evaluation } else { Mode::Training };
        same::<N>(&move |name| first.iter().any(|other| other == name), mode);
    }
    same::<N>(&|name| name.ends_with("bias"), Mode::Training);
    same::<N>(&|name| name.starts_with("fc"), Mode::Training);
    same::<N>(&|name| name.bytes().map(u32::from).sum::<u32>().is_multiple_of(2), Mode::Training);
}

#[test]
fn residual_blocks_train_alike_whatever_is_frozen() {
    same_whatever_is_frozen::<Residual>();
}

#[test]
fn a_decoder_gets_the_maps_of_a_frozen_encoder() {
    same_whatever_is_frozen::<UNet>();
}

#[test]
fn steps_of_every_kind_may_be_frozen() {
    same_whatever_is_frozen::<Chain>();
}

#[test]
fn a_network_within_another_may_be_frozen_in_part() {
    same_whatever_is_frozen::<Nested>();
}

#[test]
fn a_gradient_by_the_input_goes_through_what_is_frozen() {
    let input = Batch::from_nchw(&values(3 * 3 * 256, 5)).unwrap();
    let labels = Labels::new(&[0_u8, 3, 1]).unwrap();
    let by_input = |net: &mut Residual| {
        let mut gradient = Batch::zeros(0);
        let loss = CrossEntropy::new(&labels);
        Training::new(1).backward_to(Mode::Training, net, &input, &loss, &mut gradient).unwrap();
        gradient.to_nchw()
    };
    let expected = by_input(&mut Residual::new(1));
    let mut net = Residual::new(1);
    net.freeze_weights("").unwrap();
    assert_eq!(by_input(&mut net), expected);

    let mut training = Training::new(1);
    let error = training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "all weights of Residual are frozen, so there is nothing to train; unfreeze some with `unfreeze_weights`"
    );
    // Forward, then back from a gradient, in all orders.
    net.unfreeze_weights("fc").unwrap();
    training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap();
    let expected = training.gradients().values().to_vec();
    let mut net = Residual::new(1);
    net.freeze_weights_where(|name, _| !name.starts_with("fc.")).unwrap();
    let mut training = Training::new(1);
    let forward = training.forward(Mode::Training, &mut net, &input).unwrap();
    let mut gradient = Batch::zeros(3);
    let mut by_output = Training::<Probe>::new(0);
    by_output
        .backward_to(Mode::Training, &mut Probe::new(0), forward.output(), &CrossEntropy::new(&labels), &mut gradient)
        .unwrap();
    forward.backward_from(&gradient).unwrap();
    let found = training.gradients().values();
    assert!(
        found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= 1e-6 * expected.abs().max(1.0))
    );
}

network! {
    /// Passes on what it gets, with a weight of its own as training wants one.
    pub Probe<5> { map(|x| x), other: layer_scale(init_value = 1.0) }
}

#[test]
fn what_is_frozen_neither_decays_nor_moves_on() {
    let input = Batch::from_nchw(&values(4 * 3 * 256, 5)).unwrap();
    let labels = Labels::new(&[0_u8, 3, 1, 2]).unwrap();
    let mut net = Residual::new(1);
    let mut training = Training::new(1);
    let mut optimizer = Adam::<Residual>::new(AdamOptions::adamw(0.01).weight_decay(0.1)).unwrap();
    let mut step = |net: &mut Residual, optimizer: &mut Adam<Residual>| {
        training.backward(Mode::Training, net, &input, &CrossEntropy::new(&labels)).unwrap();
        optimizer.step(net, training.gradients());
    };
    step(&mut net, &mut optimizer);
    net.freeze_weights("layer1").unwrap();
    net.freeze_weights("conv1").unwrap();
    let of = |net: &Residual, name: &str| net.weights().tensor(name).unwrap().to_pytorch();
    let (conv, layer1, fc) = (of(&net, "conv1.weight"), of(&net, "layer1.bn1.bias"), of(&net, "fc.weight"));
    step(&mut net, &mut optimizer);
    step(&mut net, &mut optimizer);
    assert_eq!((of(&net, "conv1.weight"), of(&net, "layer1.bn1.bias")), (conv.clone(), layer1));
    assert_ne!(of(&net, "fc.weight"), fc);
    net.unfreeze_weights("conv1").unwrap();
    step(&mut net, &mut optimizer);
    assert_ne!(of(&net, "conv1.weight"), conv);
    assert_eq!(optimizer.steps(), 4);
}

/// A tensor that begins to learn later does its first step then, with Adam's correction for a first step, as in PyTorch.
#[test]
fn a_tensor_counts_its_own_steps() {
    let input = Batch::from_nchw(&values(2 * 16, 5)).unwrap();
    let labels = Labels::new(&[0_u8, 3]).unwrap();
    let mut net = Late::new(1);
    net.freeze_weights("fc.bias").unwrap();
    let mut training = Training::new(1);
    let mut optimizer = Adam::<Late>::new(AdamOptions::new(0.01)).unwrap();
    for _ in 0..10 {
        training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap();
        optimizer.step(&mut net, training.gradients());
    }
    let before = net.weights().tensor("fc.bias").unwrap().to_pytorch();
    net.unfreeze_weights("fc").unwrap();
    training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap();
    optimizer.step(&mut net, training.gradients());
    let after = net.weights().tensor("fc.bias").unwrap().to_pytorch();
    // A first step of Adam is one of the whole rate, whatever the gradient.
    for (before, after) in before.iter().zip(&after) {
        assert!(((before - after).abs() - 0.01).abs() < 1e-5, "{before} became {after}");
    }
}

network! {
    /// A linear classifier.
    pub Late<1, 4, 4> { flatten, fc: linear<5> }
}

#[test]
fn a_part_in_evaluation_mode_keeps_its_statistics() {
    let input = Batch::from_nchw(&values(4 * 3 * 256, 5)).unwrap();
    let labels = Labels::new(&[0_u8, 3, 1, 2]).unwrap();
    let loss = CrossEntropy::new(&labels);
    // All of it is as a step of evaluation.
    let (mut net, mut training) = (Residual::new(1), Training::new(1));
    training.backward(Mode::Evaluation, &mut net, &input, &loss).unwrap();
    let expected = training.gradients().values().to_vec();
    let mut training = Training::new(1);
    training.set_mode("", Mode::Evaluation).unwrap();
    training.backward(Mode::Training, &mut net, &input, &loss).unwrap();
    assert_eq!(training.gradients().values(), expected);
    assert_eq!(net.weights().state(), Residual::new(1).weights().state());
    assert_eq!(net.weights().counts(), Residual::new(1).weights().counts());
    // Back again, all but the normalizations of a part.
    training.set_mode("", Mode::Training).unwrap();
    training.set_mode_where(Mode::Evaluation, |path, step| {
        path.starts_with("layer1.") && matches!(step.operation, Operation::BatchNorm2d { .. })
    });
    training.backward(Mode::Training, &mut net, &input, &loss).unwrap();
    let of = |net: &Residual, name: &str| net.weights().tensor(name).unwrap().to_pytorch();
    for name in ["layer1.bn1.running_mean", "layer1.downsample.1.running_var"] {
        assert_eq!(of(&net, name), of(&Residual::new(1), name), "{name}");
    }
    assert_ne!(of(&net, "bn1.running_mean"), of(&Residual::new(1), "bn1.running_mean"));
    assert_eq!(net.weights().tensor("bn1.num_batches_tracked").unwrap().count(), Some(1));
    assert_eq!(net.weights().tensor("layer1.bn2.num_batches_tracked").unwrap().count(), Some(0));
    let error = training.set_mode("layr1", Mode::Evaluation).unwrap_err();
    assert_eq!(error.to_string(), "Residual has no part `layr1`; did you mean `layer1`?");
}

/// One sample has no variance, but where nothing looks at it there is nothing wrong with it.
#[test]
fn one_sample_trains_a_head_behind_normalizations_that_keep_their_statistics() {
    let input = Batch::from_nchw(&values(128, 5)).unwrap();
    let labels = Labels::new(&[1_u8]).unwrap();
    let (mut net, mut training) = (Chain::new(1), Training::new(1));
    let error = training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap_err();
    assert!(error.to_string().contains("has no variance to train with"), "{error}");
    training.set_mode_where(Mode::Evaluation, |_, step| matches!(step.operation, Operation::BatchNorm2d { .. }));
    training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap();
}

#[test]
fn what_is_frozen_stays_so_when_weights_are_loaded() {
    let path = std::env::temp_dir().join(format!("frozen-{}.safetensors", std::process::id()));
    Residual::new(1).save_safetensors(&path).unwrap();
    let mut net = Residual::new(2);
    net.freeze_weights("layer2.conv1.weight").unwrap();
    net.load_safetensors(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(net.weights().frozen_names().collect::<Vec<_>>(), ["layer2.conv1.weight"]);
    assert_eq!(net.clone().weights().frozen_names().count(), 1);
    let error = net.freeze_weights("layer2.conv").unwrap_err();
    assert_eq!(error.to_string(), "Residual has no part `layer2.conv`; did you mean `layer2.conv1` or `layer2.conv2`?");
    let error = net.freeze_weights_where(|_, _| false).unwrap_err();
    assert!(error.to_string().starts_with("no parameter of Residual is chosen; they are conv1.weight,"), "{error}");
}

#[test]
fn a_network_within_another_is_taken_out_and_put_back() {
    let mut net = Nested::new(1);
    let body: Backbone = net.weights().part("body").unwrap();
    for tensor in body.weights().tensors() {
        let inside = net.weights().tensor(&format!("body.{}", tensor.name)).unwrap();
        assert_eq!((inside.to_pytorch(), inside.count()), (tensor.to_pytorch(), tensor.count()), "{}", tensor.name);
    }
    let before = net.clone();
    net.weights_mut().put_part("body", &Backbone::new(9)).unwrap();
    assert_eq!(net.weights().part::<Backbone>("body").unwrap().weights(), Backbone::new(9).weights());
    let of = |net: &Nested, name: &str| net.weights().tensor(name).unwrap().to_pytorch();
    assert_eq!(of(&net, "conv.weight"), of(&before, "conv.weight"));
    assert_eq!(of(&before, "body.conv1.weight"), body.weights().tensor("conv1.weight").unwrap().to_pytorch());
    let told = |error: Error| error.to_string();
    assert_eq!(
        told(net.weights().part::<Backbone>("conv").unwrap_err()),
        "conv of Nested is no network; those within it are body"
    );
    assert_eq!(
        told(net.weights().part::<Residual>("body").unwrap_err()),
        "body of Nested is another network than Residual"
    );
}

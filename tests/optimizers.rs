//! Optimizers of networks: groups of parameters with options of their own, and averages of weights.

use cnn_core::optim::{AdagradOptions, LambOptions, RmsPropOptions, Rule};
use cnn_core::prelude::*;
use cnn_core::train::{Adagrad, Averaged, Averaging, Lamb, RmsProp, is_vector};

network! {
    /// Two kinds of layers, of which one learns two vectors.
    pub Net<2, 6, 6> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, flatten, fc: linear<3> }
}

network! {
    /// Ten parameters.
    pub Deep<2> { l0: linear<2>, l1: linear<2>, l2: linear<2>, l3: linear<2>, l4: linear<2> }
}

fn batch() -> Result<(Batch<Chw<2, 6, 6>>, Labels<3>), Error> {
    let values: Vec<f32> = (0..4 * 72).map(|index| (index * 37 % 19) as f32 / 9.5 - 1.0).collect();
    Ok((Batch::from_nchw(&values)?, Labels::new(&[0_u8, 2, 1, 0])?))
}

/// Some steps of training.
fn train(mut optimizer: impl Optimizer<Net>) -> Result<Net, Error> {
    let (images, labels) = batch()?;
    let (mut net, mut training) = (Net::new(1), Training::new(0));
    for _ in 0..5 {
        training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
        optimizer.step(&mut net, training.gradients());
    }
    Ok(net)
}

/// The values of a tensor.
fn tensor(net: &Net, name: &str) -> Vec<f32> {
    let tensor = net.weights().tensors().find(|tensor| tensor.name == name);
    tensor.unwrap_or_else(|| panic!("{name}")).to_pytorch()
}

const NAMES: [&str; 6] = ["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "fc.weight", "fc.bias"];

#[test]
fn a_group_that_stands_still_stands_still() -> Result<(), Error> {
    let still = |options: SgdOptions| options.lr(0.0);
    let sgd = Sgd::new(SgdOptions::new(0.1).momentum(0.9))?.group(|name, _| name.starts_with("conv1."), still)?;
    let (before, after) = (Net::new(1), train(sgd)?);
    for name in NAMES {
        assert_eq!(tensor(&before, name) == tensor(&after, name), name.starts_with("conv1."), "{name}");
    }
    Ok(())
}

/// With no gradient at all, weight decay alone moves what is in no group.
#[test]
fn vectors_need_not_decay() -> Result<(), Error> {
    let none = |options: AdamOptions| options.weight_decay(0.0);
    let mut adamw = Adam::new(AdamOptions::adamw(0.1).weight_decay(0.5))?.group(is_vector, none)?;
    let (mut net, before) = (Net::new(1), Net::new(1));
    let mut training = Training::<Net>::new(0);
    training.gradients_mut().values_mut().fill(0.0);
    adamw.step(&mut net, training.gradients());
    for name in NAMES {
        let (before, after) = (tensor(&before, name), tensor(&net, name));
        let is_matrix = matches!(name, "conv1.weight" | "fc.weight");
        let factor = if is_matrix { 0.95 } else { 1.0 };
        for (before, after) in before.iter().zip(after) {
            assert!((before * factor - after).abs() < 1e-6, "{name}: {before} {after}");
        }
    }
    Ok(())
}

#[test]
fn the_last_group_that_takes_a_parameter_has_it() -> Result<(), Error> {
    let sgd = SgdOptions::new(0.1);
    let layered = Sgd::new(sgd)?
        .group(|_, _| true, |options| options.lr(0.0))?
        .group(|name, _| name == "fc.weight", |options| options.lr(0.1))?;
    let (before, after) = (Net::new(1), train(layered)?);
    for name in NAMES {
        assert_eq!(tensor(&before, name) == tensor(&after, name), name != "fc.weight", "{name}");
    }
    Ok(())
}

/// What two groups take has the options that both of them set.
#[test]
fn groups_that_overlap_add_up() -> Result<(), Error> {
    let options = AdamOptions::adamw(0.1).weight_decay(0.5);
    let overlapping = Adam::new(options)?
        .group(is_vector, |options| options.weight_decay(0.0))?
        .group(|name, _| name.starts_with("fc."), |options| options.lr(0.2))?;
    let apart = Adam::new(options)?
        .group(|name, _| name == "fc.weight", |options| options.lr(0.2))?
        .group(|name, _| name == "fc.bias", |options| options.lr(0.2).weight_decay(0.0))?
        .group(
            |name, parameter| is_vector(name, parameter) && name != "fc.bias",
            |options| options.weight_decay(0.0),
        )?;
    assert!(train(overlapping)?.weights() == train(apart)?.weights());
    Ok(())
}

/// Groups that change nothing, whatever they cut the parameters into.
#[test]
fn groups_of_the_same_options_are_none() -> Result<(), Error> {
    let momentum = SgdOptions::new(0.1).momentum(0.9);
    let (whole, cut) = (train(Sgd::new(momentum)?)?, train(Sgd::new(momentum)?.group(is_vector, |same| same)?)?);
    assert!(whole.weights() == cut.weights());
    // A group that keeps more than the others.
    let plain = SgdOptions::new(0.1);
    let cut = train(Sgd::new(plain)?.group(|_, _| true, |options| options.momentum(0.9))?)?;
    assert!(whole.weights() == cut.weights());
    let sums = AdagradOptions::new(0.1).initial_accumulator_value(0.5);
    let start = |options: AdagradOptions| options.initial_accumulator_value(0.5);
    let cut = Adagrad::new(AdagradOptions::new(0.1))?.group(|_, _| true, start)?;
    assert!(train(Adagrad::new(sums)?)?.weights() == train(cut)?.weights());
    Ok(())
}

#[test]
fn rates_of_groups_follow_the_rate_of_all() -> Result<(), Error> {
    let mut optimizer = Sgd::<Net>::new(SgdOptions::new(0.1))?.group(is_vector, |options| options.lr(0.2))?;
    optimizer.set_lr(0.05)?;
    let other = Sgd::<Net>::new(SgdOptions::new(0.05))?.group(is_vector, |options| options.lr(0.1))?;
    assert!(train(optimizer)?.weights() == train(other)?.weights());
    // The rate of all is legal, and a group's is not: nothing is changed.
    let mut optimizer = Sgd::<Net>::new(SgdOptions::new(1e-30))?.group(is_vector, |options| options.lr(1e10))?;
    assert!(matches!(optimizer.set_lr(1e20), Err(Error::Option(_))));
    assert!((optimizer.lr() - 1e-30).abs() < 1e-40);
    Ok(())
}

#[test]
fn a_group_of_none_is_an_error() -> Result<(), Error> {
    let error = Sgd::<Net>::new(SgdOptions::new(0.1))?.group(|name, _| name == "conv.weight", |same| same).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no parameter of Net is chosen; they are conv1.weight, conv1.bias, bn1.weight, bn1.bias, fc.weight, fc.bias"
    );
    let error = Sgd::<Deep>::new(SgdOptions::new(0.1))?.group(|_, _| false, |same| same).unwrap_err().to_string();
    assert!(error.ends_with("l3.weight, l3.bias and 2 more, those of `weights().tensors()`"), "{error}");
    let error = Sgd::<Net>::new(SgdOptions::new(0.1))?.group(is_vector, |options| options.lr(-1.0)).unwrap_err();
    assert!(matches!(error, Error::Option(_)), "{error}");
    Ok(())
}

/// LAMB looks at each tensor as a whole: a step of a network is one of each.
#[test]
fn lamb_goes_tensor_by_tensor() -> Result<(), Error> {
    let (mut net, mut training) = (Net::new(1), Training::<Net>::new(0));
    let (images, labels) = batch()?;
    training.backward(Mode::Evaluation, &mut net, &images, &CrossEntropy::new(&labels))?;
    let before = net.clone();
    Lamb::new(LambOptions::new(0.05))?.step(&mut net, training.gradients());
    let gradients: Vec<Vec<f32>> = training.gradients().tensors().map(|tensor| tensor.to_pytorch()).collect();
    for (name, gradient) in NAMES.into_iter().zip(gradients) {
        let (mut expected, mut kept) = (tensor(&before, name), [vec![0.0; gradient.len()], vec![0.0; gradient.len()]]);
        let mut kept = kept.each_mut().map(Vec::as_mut_slice);
        LambOptions::new(0.05).step(1, &mut expected, &gradient, &mut kept)?;
        for (found, expected) in tensor(&net, name).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{name}: {found} {expected}");
        }
    }
    Ok(())
}

#[test]
fn every_optimizer_learns() -> Result<(), Error> {
    let (images, labels) = batch()?;
    let loss =
        |mut net: Net| Training::new(0).backward(Mode::Evaluation, &mut net, &images, &CrossEntropy::new(&labels));
    let start = loss(Net::new(1))?;
    for trained in [
        train(RmsProp::new(RmsPropOptions::new(0.01).centered(true).momentum(0.5))?)?,
        train(Adagrad::new(AdagradOptions::new(0.05))?)?,
        train(Lamb::new(LambOptions::new(0.05))?)?,
        train(Adam::new(AdamOptions::new(0.01).amsgrad(true))?)?,
    ] {
        let end = loss(trained)?;
        assert!(end < 0.9 * start, "{start} {end}");
    }
    Ok(())
}

network! {
    /// Two weights and a bias.
    pub Line<2> { linear<1> }
}

/// `torch.optim.swa_utils.AveragedModel`, by `fixtures/optim.py`.
#[test]
fn averages_are_pytorchs() -> Result<(), Error> {
    let exponential = Averaging::Exponential { decay: 0.9 };
    for (averaging, expected) in [
        (exponential, [-0.031077241525053978, 0.4963076114654541, 1.3144099712371826]),
        (Averaging::Equal, [0.029360264539718628, -0.01569863222539425, 2.5]),
    ] {
        let mut net = Line::new(0);
        let mut average = Averaged::new(&net, averaging)?;
        assert!(average.network().weights() == net.weights());
        for step in 0..6 {
            let step = f64::from(step);
            let values = [step.sin(), (2.0 * step).cos(), step].map(|value| value as f32);
            net.weights_mut().values_mut().copy_from_slice(&values);
            average.update(&net);
        }
        for (found, expected) in average.network().weights().values().iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{averaging:?}: {found}, expected {expected}");
        }
        assert_eq!(average.updates(), 6);
        assert_eq!(net.weights().values()[2], 5.0, "the network keeps its own");
    }
    Ok(())
}

#[test]
fn an_average_has_the_networks_statistics() -> Result<(), Error> {
    let (images, labels) = batch()?;
    let (mut net, mut training) = (Net::new(1), Training::new(0));
    let mut sgd = Sgd::new(SgdOptions::new(0.1))?;
    let mut average = Averaged::new(&net, Averaging::Equal)?;
    for _ in 0..3 {
        training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
        sgd.step(&mut net, training.gradients());
        average.update(&net);
    }
    let (own, of_net) = (average.network().weights(), net.weights());
    assert!(own.state() == of_net.state() && own.counts() == of_net.counts() && own.values() != of_net.values());
    for decay in [1.0, -0.1, f64::NAN] {
        let error = Averaged::new(&net, Averaging::Exponential { decay }).unwrap_err();
        assert_eq!(error.to_string(), format!("decay = {decay}: a decay rate is at least 0 and below 1"));
    }
    Ok(())
}

/// Halves of a batch, where no layer looks at all of it.
#[test]
fn gradients_of_parts_are_that_of_the_whole() -> Result<(), Error> {
    let values: Vec<f32> = (0..16).map(|index| (index * 7 % 11) as f32 / 5.0 - 1.0).collect();
    let targets: Vec<f32> = (0..8).map(|index| (index % 3) as f32).collect();
    let (mut net, mut training) = (Line::new(3), Training::new(0));
    let mut gradient = |values: &[f32], targets: &[f32]| {
        let (input, targets) = (Batch::from_nchw(values)?, Batch::from_nchw(targets)?);
        training.backward(Mode::Training, &mut net, &input, &MeanSquaredError::new(&targets))?;
        Ok::<_, Error>(training.gradients().clone())
    };
    let whole = gradient(&values, &targets)?;
    let mut sum = gradient(&values[..8], &targets[..4])?;
    sum.add(&gradient(&values[8..], &targets[4..])?);
    sum.scale(0.5);
    for (found, expected) in sum.values().iter().zip(whole.values()) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    Ok(())
}

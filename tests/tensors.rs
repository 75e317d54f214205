//! Tensors by name: read, written, begun anew.

use cnn_core::network::{Fan, Init, Nonlinearity};
use cnn_core::prelude::*;

network! {
    /// Tensors of every order.
    pub Net<4, 8, 8> {
        conv1: conv2d<6, 3>(groups = 2), bn1: batch_norm2d, relu, up: conv_transpose2d<8, 2>,
        norm: layer_norm, flatten, fc: linear<5>,
    }

    /// Tensors large enough for their distribution to be seen.
    pub Wide<32, 8, 8> { conv: conv2d<64, 5>, flatten, fc: linear<40>, last: linear<90> }
}

fn values(net: &Wide, name: &str) -> Vec<f64> {
    net.weights().tensor(name).unwrap().to_pytorch().into_iter().map(f64::from).collect()
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    [mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()]
}

fn started(init: Init) -> Wide {
    let mut net = Wide::new(3);
    let is_weight = |name: &str| name.ends_with("weight").then_some(init);
    net.weights_mut().initialize(7, |name, _| is_weight(name)).unwrap();
    net
}

#[test]
fn what_is_written_is_what_is_read() -> Result<(), Error> {
    let mut net = Net::new(0);
    let names: Vec<(String, usize)> = net.weights().tensors().map(|t| (t.name, t.parameter.len())).collect();
    for (name, len) in &names {
        if name.ends_with("num_batches_tracked") {
            let error = net.weights_mut().tensor_mut(name).unwrap_err();
            assert!(matches!(error, Error::IsCount { .. }), "{error}");
            assert_eq!(net.weights().tensor(name)?.count(), Some(0));
            continue;
        }
        let before: Vec<Vec<f32>> = net.weights().tensors().map(|tensor| tensor.to_pytorch()).collect();
        let new: Vec<f32> = (0..*len).map(|index| index as f32).collect();
        net.weights_mut().tensor_mut(name)?.copy_from_slice(&new);
        assert_eq!(net.weights().tensor(name)?.to_pytorch(), new);
        for ((other, _), before) in names.iter().zip(before) {
            assert!(other == name || net.weights().tensor(other)?.to_pytorch() == before, "{name} changed {other}");
        }
        // Looking changes nothing.
        let whole = net.weights().clone();
        assert_eq!(net.weights_mut().tensor_mut(name)?[..], new[..]);
        assert!(&whole == net.weights());
    }
    assert_eq!(net.weights_mut().tensor_mut("conv1.weight")?.sizes(), [6, 2, 3, 3]);
    Ok(())
}

#[test]
fn a_clone_keeps_its_own() -> Result<(), Error> {
    let mut net = Net::new(0);
    let before = net.clone();
    net.weights_mut().tensor_mut("fc.bias")?.fill(2.0);
    assert_eq!(before.weights().tensor("fc.bias")?.to_pytorch(), Net::new(0).weights().tensor("fc.bias")?.to_pytorch());
    assert!(net.weights() != before.weights());
    Ok(())
}

#[test]
fn names_that_are_none_say_which_there_are() {
    let weights = Net::new(0).weights().clone();
    for (name, expected) in [
        ("conv1.wieght", "Net has no tensor `conv1.wieght`; did you mean `conv1.weight`?"),
        ("", "Net has no tensor ``; their names are those of `weights().tensors()`"),
        (
            "something.else.entirely",
            "Net has no tensor `something.else.entirely`; their names are those of `weights().tensors()`",
        ),
    ] {
        assert_eq!(weights.tensor(name).unwrap_err().to_string(), expected);
    }
    let long = "x".repeat(1 << 20);
    assert!(weights.tensor(&long).is_err());
}

#[test]
fn distributions_are_those_of_their_names() {
    let relu = Nonlinearity::Relu;
    // `conv.weight` is [64, 32, 5, 5], so its fans are 800 and 1600.
    for (init, deviation, bound) in [
        (Init::Uniform { a: -0.5, b: 0.5 }, 1.0 / 12.0_f64.sqrt(), 0.5),
        (Init::Normal { mean: 0.0, std: 0.3 }, 0.3, 0.3 * 6.7),
        (Init::XavierUniform { gain: 2.0 }, 2.0 * (2.0 / 2400.0_f64).sqrt(), 2.0 * (6.0 / 2400.0_f64).sqrt()),
        (Init::XavierNormal { gain: 1.0 }, (2.0 / 2400.0_f64).sqrt(), 0.2),
        (Init::KaimingUniform { fan: Fan::In, nonlinearity: relu }, 0.05, 0.05 * 3.0_f64.sqrt()),
        (
            Init::KaimingUniform { fan: Fan::Out, nonlinearity: Nonlinearity::LeakyRelu(1.0) },
            0.025,
            0.025 * 3.0_f64.sqrt(),
        ),
        (Init::KaimingNormal { fan: Fan::Out, nonlinearity: relu }, (2.0 / 1600.0_f64).sqrt(), 0.25),
        (Init::KaimingNormal { fan: Fan::In, nonlinearity: Nonlinearity::Tanh }, 5.0 / 3.0 / 800.0_f64.sqrt(), 0.4),
        // Of a normal distribution between -1 and 1 deviations: 0.5396 of it.
        (Init::TruncNormal { mean: 0.0, std: 0.2, a: -0.2, b: 0.2 }, 0.2 * 0.53956, 0.2),
    ] {
        let values = values(&started(init), "conv.weight");
        let [mean, found] = moments(&values);
        assert!(mean.abs() < 0.02 * deviation, "{init:?}: {mean}");
        assert!((found / deviation - 1.0).abs() < 0.01, "{init:?}: {found}, expected {deviation}");
        assert!(values.iter().all(|x| x.abs() <= bound * (1.0 + 1e-6)), "{init:?}");
        // As many on either side, and a few near the end, as wide as it is.
        let beyond = values.iter().filter(|x| x.abs() > 0.9 * bound).count();
        let is_uniform =
            matches!(init, Init::Uniform { .. } | Init::XavierUniform { .. } | Init::KaimingUniform { .. });
        assert!(!is_uniform || (beyond as f64 / values.len() as f64 - 0.1).abs() < 0.01, "{init:?}: {beyond}");
    }
    let net = started(Init::Normal { mean: 3.0, std: 0.0 });
    assert!(values(&net, "fc.weight").iter().all(|x| *x == 3.0));
    // Nothing else is changed.
    assert_eq!(values(&net, "fc.bias"), values(&Wide::new(3), "fc.bias"));
}

#[test]
fn a_normal_distribution_is_normal() {
    let values = values(&started(Init::Normal { mean: 1.0, std: 2.0 }), "conv.weight");
    for (deviations, share) in [(0.5, 0.6915), (1.0, 0.8413), (2.0, 0.9772), (-1.0, 0.1587), (-2.5, 0.0062)] {
        let below = values.iter().filter(|x| **x < 1.0 + 2.0 * deviations).count() as f64 / values.len() as f64;
        assert!((below - share).abs() < 0.005, "{deviations}: {below}");
    }
}

#[test]
fn orthogonal_rows_or_columns() {
    let net = started(Init::Orthogonal { gain: 0.5 });
    // 64 rows of 800, 40 of 1024, and 90 rows of 40, of which the columns stand on one another.
    for (name, rows) in [("conv.weight", 64), ("fc.weight", 40), ("last.weight", 90)] {
        let values = values(&net, name);
        let columns = values.len() / rows;
        let vectors: Vec<Vec<f64>> = match rows <= columns {
            true => values.chunks(columns).map(<[f64]>::to_vec).collect(),
            false => (0..columns).map(|c| (0..rows).map(|r| values[r * columns + c]).collect()).collect(),
        };
        for (index, vector) in vectors.iter().enumerate() {
            for (other, second) in vectors.iter().enumerate() {
                let product: f64 = vector.iter().zip(second).map(|(x, y)| x * y).sum();
                let expected = if index == other { 0.25 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "{name} {index} {other}: {product}");
            }
        }
    }
}

#[test]
fn the_same_seed_starts_the_same_way_and_another_another() {
    let init = Init::Normal { mean: 0.0, std: 1.0 };
    let of = |seed: u64| {
        let mut net = Wide::new(0);
        net.weights_mut().initialize(seed, |_, _| Some(init)).unwrap();
        net
    };
    assert!(of(1).weights() == of(1).weights() && of(1).weights() != of(2).weights());
    // Tensors draw apart from one another.
    assert_ne!(values(&of(1), "conv.weight")[..40], values(&of(1), "fc.weight")[..40]);
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let mut net = Net::new(0);
    for (init, why) in [
        (Init::Constant(f32::NAN), "its numbers are to be finite"),
        (Init::Uniform { a: 1.0, b: 0.0 }, "the least is below the greatest"),
        (Init::Uniform { a: f32::MIN, b: f32::MAX }, "its numbers are to be finite"),
        (Init::Normal { mean: 0.0, std: -1.0 }, "a standard deviation is not negative"),
        (
            Init::TruncNormal { mean: 0.0, std: 1.0, a: 5.0, b: 6.0 },
            "its bounds leave less than a thousandth of the distribution",
        ),
        (Init::TruncNormal { mean: 0.0, std: 1.0, a: 1.0, b: 1.0 }, "the least is below the greatest"),
        (
            Init::KaimingNormal { fan: Fan::In, nonlinearity: Nonlinearity::LeakyRelu(f32::NAN) },
            "its numbers are to be finite",
        ),
    ] {
        let error = net.weights_mut().initialize(0, |name, _| (name == "fc.weight").then_some(init)).unwrap_err();
        assert_eq!(error.to_string(), format!("fc.weight of sizes [5, 392] cannot start as {init:?}: {why}"));
    }
    for init in [Init::XavierNormal { gain: 1.0 }, Init::Orthogonal { gain: 1.0 }] {
        let error = net.weights_mut().initialize(0, |_, parameter| (parameter.rank == 1).then_some(init)).unwrap_err();
        assert!(error.to_string().starts_with("conv1.bias of sizes [6] cannot start as "), "{error}");
    }
    // The first tensors could have, the last cannot.
    let late = |name: &str| Some(if name == "fc.bias" { Init::Constant(f32::INFINITY) } else { Init::Constant(1.0) });
    assert!(net.weights_mut().initialize(0, |name, _| late(name)).is_err());
    assert!(net.weights() == Net::new(0).weights());
}

//! Processes that train together, here threads of one: the same bits, however many they are.

mod common;
#[path = "common/threads.rs"]
mod threads;

use cnn_core::network::Network;
use cnn_core::prelude::*;
use cnn_core::train::{Optimizer, Processes, shards_of};
use common::values;
use threads::together;

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

    /// Of several cuts and of more weights than one piece has.
    pub Residual<3, 8, 8> {
        conv1: conv2d<32, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu, dropout2d,
        layer1: basic<64, 1>, layer2: basic<128, 2>, layer3: basic<128, 2>, drop: dropout,
        adaptive_avg_pool2d<1>, flatten, fc: linear<5>,
    }
}

const SHARDS: usize = 8;

/// Of one shard, the last of which is short.
fn data(step: u64, shard: usize) -> (Batch<Chw<3, 8, 8>>, Labels<5>) {
    let samples = if shard == SHARDS - 1 { 2 } else { 3 };
    let input = Batch::from_nchw(&values(samples * 192, step * 100 + shard as u64)).unwrap();
    // Some do not count.
    let labels: Vec<usize> = (0..samples)
        .map(|sample| match (sample + shard) % 6 {
            5 => 99,
            class => class,
        })
        .collect();
    (input, Labels::ignoring(99, &labels).unwrap())
}

/// Four steps of one of so many processes; some weights are frozen behind the second.
fn train(processes: &dyn Processes, sync_batch_norm: bool) -> (Vec<f32>, Residual) {
    let (mut net, mut training) = (Residual::new(3), Training::new(5));
    training.set_sync_batch_norm(sync_batch_norm);
    let mut optimizer = Adam::<Residual>::new(AdamOptions::new(0.01)).unwrap();
    let mut losses = Vec::new();
    for step in 0..4 {
        if step == 2 {
            net.freeze_weights_where(|name, _| name.starts_with("conv1") || name.starts_with("layer1")).unwrap();
        }
        let own = shards_of(processes.rank(), processes.count(), SHARDS).unwrap();
        let data: Vec<_> = own.map(|shard| data(step, shard)).collect();
        let shards: Vec<_> = data
            .iter()
            .map(|(input, labels)| (input, CrossEntropy::new(labels).weights(&[1.0, 2.0, 0.5, 1.0, 0.0]).unwrap()))
            .collect();
        losses.push(training.backward_among(processes, Mode::Training, &mut net, &shards).unwrap());
        optimizer.step(&mut net, training.gradients());
    }
    (losses, net)
}

#[test]
fn one_two_four_and_eight_processes_make_the_same_bits() {
    let mut made = Vec::new();
    for sync_batch_norm in [false, true] {
        let train = |processes: &dyn Processes| train(processes, sync_batch_norm);
        let [(losses, net)] = &together(1, train)[..] else { unreachable!("one") };
        for count in [2, 4, 8] {
            for (found, other) in together(count, train) {
                assert_eq!(&found, losses, "losses of {count} processes");
                assert_eq!(other.weights(), net.weights(), "weights of {count} processes");
            }
        }
        made.push(losses.clone());
    }
    assert_ne!(made[0], made[1], "statistics of a shard are not those of all");
}

#[test]
fn what_goes_wrong_in_one_is_an_error_in_all() {
    let errors = together(2, |processes| {
        let (mut net, mut training) = (Residual::new(3), Training::new(5));
        let (mut input, labels) = data(0, 0);
        if processes.rank() == 1 {
            input.values_mut().fill(f32::NAN);
        }
        let before = net.clone();
        let error = training
            .backward_among(processes, Mode::Training, &mut net, &[(&input, CrossEntropy::new(&labels))])
            .unwrap_err();
        assert_eq!(net.weights(), before.weights());
        assert_eq!(training.step(), 0);
        error.to_string()
    });
    assert!(errors[1].starts_with("the loss is NaN at step 0"), "{}", errors[1]);
    assert!(errors[0].starts_with("process 1: the loss is NaN at step 0"), "{}", errors[0]);
}

/// Also while the others wait for its statistics, or for its gradients.
#[test]
fn a_shard_that_fails_among_those_that_wait_for_it_is_an_error_in_all() {
    let errors = together(4, |processes| {
        let (mut net, mut training) = (Residual::new(3), Training::new(5));
        training.set_sync_batch_norm(true);
        let data = [data(0, 0), data(0, 1)];
        let wrong = Labels::new(&[0]).unwrap();
        let labels = if processes.rank() == 2 { &wrong } else { &data[1].1 };
        let shards = [(&data[0].0, CrossEntropy::new(&data[0].1)), (&data[1].0, CrossEntropy::new(labels))];
        let before = net.clone();
        let error = training.backward_among(processes, Mode::Training, &mut net, &shards).unwrap_err();
        assert_eq!((net.weights(), training.step()), (before.weights(), 0));
        error.to_string()
    });
    assert!(errors[2].starts_with("expected 3 labels"), "{}", errors[2]);
    for rank in [0, 1, 3] {
        assert_eq!(errors[rank], format!("process 2: {}", errors[2]));
    }
}

#[test]
fn processes_that_are_not_alike_are_told() {
    let errors = together(2, |processes| {
        let (mut net, mut training) = (Residual::new(3), Training::new(5));
        training.set_sync_batch_norm(processes.rank() == 1);
        let (input, labels) = data(0, 0);
        let shards = [(&input, CrossEntropy::new(&labels))];
        training.backward_among(processes, Mode::Training, &mut net, &shards).unwrap_err().to_string()
    });
    assert_eq!(
        errors[0],
        "process 1: it is at another choice of synchronized batch normalization: expected 0, found 1"
    );
    let errors = together(2, |processes| {
        let (mut net, mut training) = (Residual::new(processes.rank() as u64), Training::new(5));
        let (input, labels) = data(0, 0);
        let shards = [(&input, CrossEntropy::new(&labels))];
        training.backward_among(processes, Mode::Training, &mut net, &shards).unwrap_err().to_string()
    });
    assert!(
        errors[0].starts_with("process 1: it is at another fingerprint of its weights: expected "),
        "{}",
        errors[0]
    );
    assert!(
        errors[1].starts_with("process 0: it is at another fingerprint of its weights: expected "),
        "{}",
        errors[1]
    );
    for (processes, shards) in [(3, 8), (2, 1), (4, 6)] {
        assert!(matches!(shards_of(0, processes, shards), Err(Error::Shards { .. })));
    }
}

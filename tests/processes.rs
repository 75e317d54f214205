//! Processes that train together, here threads of one: the same bits, however many they are.

mod common;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use cnn_core::network::Network;
use cnn_core::prelude::*;
use cnn_core::train::{Optimizer, Processes, shards_of, sum_in_tree};
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

    /// Of several cuts and of more weights than one piece has.
    pub Residual<3, 8, 8> {
        conv1: conv2d<32, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu, dropout2d,
        layer1: basic<64, 1>, layer2: basic<128, 2>, layer3: basic<128, 2>, drop: dropout,
        adaptive_avg_pool2d<1>, flatten, fc: linear<5>,
    }
}

/// What threads say to each other.
#[derive(Default)]
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    gathered: BTreeMap<(usize, usize), Vec<f64>>,
    summed: BTreeMap<(usize, usize), Vec<f32>>,
    failed: Option<(usize, String)>,
}

struct OfThreads<'a> {
    board: &'a Board,
    rank: usize,
    count: usize,
    numbers: Mutex<(usize, usize, VecDeque<usize>)>,
}

impl<'a> OfThreads<'a> {
    fn new(board: &'a Board, rank: usize, count: usize) -> Self {
        Self { board, rank, count, numbers: Mutex::default() }
    }

    /// What all have put there by a number.
    fn all<T: Clone>(&self, of: fn(&State) -> &BTreeMap<(usize, usize), T>, number: usize) -> Result<Vec<T>, Error> {
        let mut state = self.board.state.lock().unwrap();
        loop {
            if let Some((rank, what)) = &state.failed {
                return Err(Error::Process { rank: *rank, what: what.clone() });
            }
            let all: Vec<_> = (0..self.count).filter_map(|rank| of(&state).get(&(number, rank)).cloned()).collect();
            if all.len() == self.count {
                return Ok(all);
            }
            let (next, waited) = self.board.changed.wait_timeout(state, Duration::from_secs(20)).unwrap();
            assert!(!waited.timed_out(), "one does not answer");
            state = next;
        }
    }
}

impl Processes for OfThreads<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let number = {
            let mut own = self.numbers.lock().unwrap();
            own.0 += 1;
            own.0
        };
        self.board.state.lock().unwrap().gathered.insert((number, self.rank), numbers.to_vec());
        self.board.changed.notify_all();
        self.all(|state| &state.gathered, number)
    }

    fn begin_sum(&self, values: Vec<f32>) {
        let mut own = self.numbers.lock().unwrap();
        own.1 += 1;
        let number = own.1;
        own.2.push_back(number);
        self.board.state.lock().unwrap().summed.insert((number, self.rank), values);
        self.board.changed.notify_all();
    }

    fn end_sum(&self) -> Result<Vec<f32>, Error> {
        let number = self.numbers.lock().unwrap().2.pop_front().unwrap();
        self.all(|state| &state.summed, number).map(sum_in_tree)
    }

    fn fail(&self, why: &str) {
        self.board.state.lock().unwrap().failed.get_or_insert((self.rank, why.to_owned()));
        self.board.changed.notify_all();
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
fn train(processes: &dyn Processes) -> (Vec<f32>, Residual) {
    let (mut net, mut training) = (Residual::new(3), Training::new(5));
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

fn together<R: Send>(count: usize, work: impl Fn(&dyn Processes) -> R + Sync) -> Vec<R> {
    let board = Board::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|rank| {
                let (board, work) = (&board, &work);
                scope.spawn(move || work(&OfThreads::new(board, rank, count)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn one_two_four_and_eight_processes_make_the_same_bits() {
    let [(losses, net)] = &together(1, train)[..] else { unreachable!("one") };
    for count in [2, 4, 8] {
        for (found, other) in together(count, train) {
            assert_eq!(&found, losses, "losses of {count} processes");
            assert_eq!(other.weights(), net.weights(), "weights of {count} processes");
        }
    }
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

#[test]
fn processes_that_are_not_alike_are_told() {
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

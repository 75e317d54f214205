//! Processes that are threads of one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use cnn_core::Error;
use cnn_core::train::{Processes, sum_in_tree};

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

/// What each of so many makes.
pub(crate) fn together<R: Send>(count: usize, work: impl Fn(&dyn Processes) -> R + Sync) -> Vec<R> {
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

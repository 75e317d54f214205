//! What the thread does that speaks to the other processes.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use ::mpi::point_to_point::{Destination, Source};
use ::mpi::request::{Request, Scope, scope};
use ::mpi::topology::{Communicator, SimpleCommunicator};
use ::mpi::traits::{Equivalence, MatchedReceiveVec};

use crate::Error;
use crate::train::sum_in_tree;

/// What it is asked to do, in this order.
pub(super) enum Task {
    Gather(Vec<f64>),
    Sum(Vec<f32>),
    Fail(String),
    Finish,
}

pub(super) enum Answer {
    Gathered(Vec<Vec<f64>>),
    Summed(Vec<f32>),
}

pub(super) type Answers = Sender<Result<Answer, Error>>;

/// Marks of messages.
const DATA: i32 = 1;
const ASK: i32 = 2;
const HERE: i32 = 3;
const FAILED: i32 = 4;

/// Values that a process adds at a time, of each other one: so many stay in a cache, and are far more than a message's latency.
const AT_ONCE: usize = 1 << 18;

/// How often somebody is asked who keeps us waiting.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often questions of others are looked for where there is nothing to do.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The thread's state.
pub(super) struct Speaker {
    pub(super) world: SimpleCommunicator,
    pub(super) tasks: Receiver<Task>,
    pub(super) answers: Answers,
    /// How long somebody may not answer.
    pub(super) patience: Duration,
}

/// What is under way to and from other processes.
type UnderWay<'a, T, S> = Vec<(usize, Request<'a, [T], S>)>;

/// What is not yet there.
fn still_under_way<'a, T, S: Scope<'a>>(pending: UnderWay<'a, T, S>, heard: &mut [Heard]) -> UnderWay<'a, T, S> {
    let mut left = Vec::with_capacity(pending.len());
    for (rank, request) in pending {
        match request.test() {
            Ok(_) => heard[rank].last = Instant::now(),
            Err(request) => left.push((rank, request)),
        }
    }
    left
}

/// What has been heard of another process.
struct Heard {
    last: Instant,
    asked: Instant,
}

impl Speaker {
    /// Until it is told to finish, or nobody is there to tell it; whether all went well.
    pub(super) fn run(&self) -> bool {
        let mut later = VecDeque::new();
        loop {
            let task = match later.pop_front() {
                Some(task) => Ok(task),
                None => self.tasks.recv_timeout(LOOK_EVERY),
            };
            let answer = match task {
                Ok(Task::Finish) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Task::Fail(why)) => {
                    self.tell(&why);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => match self.listen(&mut Vec::new()) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Ok(Task::Gather(numbers)) => self.gather(&numbers, &mut later).map(Answer::Gathered),
                Ok(Task::Sum(values)) => self.sum(values, &mut later).map(Answer::Summed),
            };
            let failed = answer.as_ref().err().map(|error| match error {
                Error::Process { rank, what } => (*rank, what.clone()),
                other => (self.me(), other.to_string()),
            });
            let _ = self.answers.send(answer);
            if let Some(failed) = failed {
                self.refuse(&failed, &mut later);
                return false;
            }
        }
    }

    fn me(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or(0)
    }

    fn count(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.me();
        (0..self.count()).filter(move |rank| *rank != me)
    }

    fn process(&self, rank: usize) -> ::mpi::topology::Process<'_> {
        self.world.process_at_rank(rank as i32)
    }

    /// After something has gone wrong there is one answer to everything.
    fn refuse(&self, (rank, what): &(usize, String), later: &mut VecDeque<Task>) {
        loop {
            let task = match later.pop_front() {
                Some(task) => task,
                None => match self.tasks.recv() {
                    Ok(task) => task,
                    Err(_) => return,
                },
            };
            match task {
                Task::Gather(_) | Task::Sum(_) => {
                    let _ = self.answers.send(Err(Error::Process { rank: *rank, what: what.clone() }));
                }
                Task::Fail(_) => {}
                Task::Finish => return,
            }
        }
    }

    /// Tells all others that this process has failed.
    fn tell(&self, why: &str) {
        // Short messages do not wait for whom they are for.
        const LONGEST: usize = 1000;
        let end = (0..=why.len().min(LONGEST)).rev().find(|end| why.is_char_boundary(*end)).unwrap_or(0);
        self.others().for_each(|rank| self.process(rank).send_with_tag(&why.as_bytes()[..end], FAILED));
    }

    /// Answers questions, notes answers, and hears of failures.
    fn listen(&self, heard: &mut [Heard]) -> Result<(), Error> {
        let any = self.world.any_process();
        while let Some(message) = any.immediate_matched_probe_with_tag(ASK) {
            let (_, status) = message.matched_receive_vec::<u8>();
            self.world.process_at_rank(status.source_rank()).send_with_tag(&[0_u8; 1][..], HERE);
        }
        while let Some(message) = any.immediate_matched_probe_with_tag(HERE) {
            let (_, status) = message.matched_receive_vec::<u8>();
            if let Some(heard) = usize::try_from(status.source_rank()).ok().and_then(|rank| heard.get_mut(rank)) {
                heard.last = Instant::now();
            }
        }
        if let Some(message) = any.immediate_matched_probe_with_tag(FAILED) {
            let (what, status) = message.matched_receive_vec::<u8>();
            let (rank, what) = (status.source_rank(), String::from_utf8_lossy(&what).into_owned());
            return Err(Error::Process { rank: usize::try_from(rank).unwrap_or(0), what });
        }
        Ok(())
    }

    fn gather(&self, numbers: &[f64], later: &mut VecDeque<Task>) -> Result<Vec<Vec<f64>>, Error> {
        let mut gathered = vec![numbers.to_vec(); self.count()];
        let me = self.me();
        let sends: Vec<_> = self.others().map(|rank| (rank, numbers)).collect();
        let receives = gathered.iter_mut().enumerate().filter(|(rank, _)| *rank != me);
        self.exchange(&sends, receives.map(|(rank, list)| (rank, &mut list[..])).collect(), later)?;
        Ok(gathered)
    }

    /// The sum of all processes' values, in their place.
    fn sum(&self, mut values: Vec<f32>, later: &mut VecDeque<Task>) -> Result<Vec<f32>, Error> {
        for values in values.chunks_mut(AT_ONCE.saturating_mul(self.count())) {
            self.sum_at_once(values, later)?;
        }
        Ok(values)
    }

    /// Each process adds a part of the values, by rank in the tree, and hands on the sum.
    fn sum_at_once(&self, values: &mut [f32], later: &mut VecDeque<Task>) -> Result<(), Error> {
        let (me, count, len) = (self.me(), self.count(), values.len());
        let part = |rank: usize| len * rank / count..len * (rank + 1) / count;
        let mut lists = vec![values[part(me)].to_vec(); count];
        let sends: Vec<_> = self.others().map(|rank| (rank, &values[part(rank)])).collect();
        let receives = lists.iter_mut().enumerate().filter(|(rank, _)| *rank != me);
        self.exchange(&sends, receives.map(|(rank, list)| (rank, &mut list[..])).collect(), later)?;
        // What was sent is no longer needed here: the others' sums come in its place.
        let own = sum_in_tree(lists);
        values[part(me)].copy_from_slice(&own);
        let sends: Vec<_> = self.others().map(|rank| (rank, &own[..])).collect();
        let mut receives = Vec::with_capacity(count);
        let mut rest = values;
        for rank in 0..count {
            let (own, behind) = rest.split_at_mut(part(rank).len());
            rest = behind;
            if rank != me {
                receives.push((rank, own));
            }
        }
        self.exchange(&sends, receives, later)
    }

    /// Sends and receives, all at once. Who does not answer is asked whether he is there.
    fn exchange<T: Equivalence>(
        &self,
        sends: &[(usize, &[T])],
        receives: Vec<(usize, &mut [T])>,
        later: &mut VecDeque<Task>,
    ) -> Result<(), Error>
    where
        [T]: ::mpi::traits::Buffer + ::mpi::traits::BufferMut,
    {
        scope(|scope| {
            let mut sending = Vec::new();
            for (rank, values) in sends {
                sending.push((*rank, self.process(*rank).immediate_send_with_tag(scope, *values, DATA)));
            }
            let mut receiving = Vec::new();
            for (rank, values) in receives {
                receiving.push((rank, self.process(rank).immediate_receive_into_with_tag(scope, values, DATA)));
            }
            let now = Instant::now();
            let mut heard: Vec<_> = (0..self.count()).map(|_| Heard { last: now, asked: now }).collect();
            let mut rounds = 0_u32;
            loop {
                sending = still_under_way(sending, &mut heard);
                receiving = still_under_way(receiving, &mut heard);
                if sending.is_empty() && receiving.is_empty() {
                    return Ok(());
                }
                let waited_for = sending.iter().chain(&receiving).map(|(rank, _)| *rank);
                let checked = self.wait_for(waited_for, &mut heard, later);
                if let Err(Error::Process { rank, what }) = checked {
                    // What is under way cannot be taken back, and the memory that it is in has to stay: this thread goes no further.
                    let _ = self.answers.send(Err(Error::Process { rank, what: what.clone() }));
                    self.refuse(&(rank, what), later);
                    loop {
                        std::thread::park();
                    }
                }
                // At first as fast as it goes, then so that others have the core.
                rounds += 1;
                if rounds > 200 {
                    std::thread::sleep(Duration::from_micros(100));
                } else {
                    std::thread::yield_now();
                }
            }
        })
    }

    /// One look around while others keep us waiting.
    fn wait_for(
        &self,
        ranks: impl Iterator<Item = usize>,
        heard: &mut [Heard],
        later: &mut VecDeque<Task>,
    ) -> Result<(), Error> {
        self.listen(heard)?;
        loop {
            match self.tasks.try_recv() {
                Ok(Task::Fail(why)) => self.tell(&why),
                Ok(task) => later.push_back(task),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        for rank in ranks {
            let of_rank = &mut heard[rank];
            let silent = of_rank.last.elapsed();
            if silent > self.patience {
                let what = format!("it has not answered for {:.1} s", silent.as_secs_f64());
                return Err(Error::Process { rank, what });
            }
            if silent > ASK_EVERY && of_rank.asked.elapsed() > ASK_EVERY {
                of_rank.asked = Instant::now();
                self.process(rank).send_with_tag(&[0_u8; 1][..], ASK);
            }
        }
        Ok(())
    }
}

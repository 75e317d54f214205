//! Threads that make batches ahead of the one that takes them, in order.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Mixing;
use super::maker::{ContentsOf, Maker, Outcome, Pass, Shards, TargetsOf};
use crate::data::{DataError, Dataset};

/// What became of a batch on another thread: [`Outcome`], or a panic in the data set.
type Delivery<C> = Result<Outcome<C>, Box<dyn Any + Send>>;

/// Which batches are in the making.
struct Plan<C> {
    pass: Pass,
    /// The next that a thread begins, and the first that none does.
    next: usize,
    end: usize,
    /// The next that is taken.
    taken: usize,
    /// Those from `taken` on, as far as they are made.
    made: VecDeque<Option<Delivery<C>>>,
    closed: bool,
}

struct Shared<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> {
    maker: Arc<Maker<D, M>>,
    plan: Mutex<Plan<ContentsOf<D, M>>>,
    /// There may be something to do.
    work: Condvar,
    /// Something was made.
    made: Condvar,
}

/// The threads. When they are dropped, they end.
pub(super) struct Workers<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> {
    shared: Arc<Shared<D, M>>,
    threads: Vec<JoinHandle<()>>,
}

impl<D: Dataset + Send + 'static, M: Mixing<D::Input, TargetsOf<D>>> Workers<D, M> {
    /// As many threads as the options say.
    pub(super) fn start(maker: &Arc<Maker<D, M>>) -> Result<Self, DataError> {
        let pass = Pass { epoch: 0, number: 0, shards: Shards::ALL };
        let plan = Plan { pass, next: 0, end: 0, taken: 0, made: VecDeque::new(), closed: false };
        let shared = Arc::new(Shared {
            maker: Arc::clone(maker),
            plan: Mutex::new(plan),
            work: Condvar::new(),
            made: Condvar::new(),
        });
        // Those that were started end when it is dropped by an error.
        let mut workers = Self { shared, threads: Vec::new() };
        for number in 0..maker.options().workers {
            let shared = Arc::clone(&workers.shared);
            let thread = thread::Builder::new().name(format!("cnn-loader-{number}"));
            let thread = thread.spawn(move || shared.work()).map_err(|error| DataError::Thread { error })?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Workers<D, M> {
    /// Begins with these batches of a pass, whatever was in the making.
    pub(super) fn begin(&self, pass: Pass, first: usize, end: usize) {
        let mut plan = self.shared.plan();
        self.shared.clear(&mut plan);
        (plan.pass, plan.next, plan.end, plan.taken) = (pass, first, end, first);
        drop(plan);
        self.shared.work.notify_all();
    }

    /// Stops making batches, and throws away those that are made.
    pub(super) fn give_up(&self) {
        let mut plan = self.shared.plan();
        self.shared.maker.give_up();
        self.shared.clear(&mut plan);
        plan.end = plan.next;
    }

    /// The next batch, once it is made; the caller knows that there is one. A panic of the data set goes on here.
    pub(super) fn take(&self) -> Outcome<ContentsOf<D, M>> {
        let mut plan = self.shared.plan();
        loop {
            if let Some(Some(_)) = plan.made.front()
                && let Some(Some(delivery)) = plan.made.pop_front()
            {
                plan.taken += 1;
                drop(plan);
                // As many as a thread can begin now.
                self.shared.work.notify_one();
                return delivery.unwrap_or_else(|panic| resume_unwind(panic));
            }
            plan = self.shared.made.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Drop for Workers<D, M> {
    fn drop(&mut self) {
        self.give_up();
        self.shared.plan().closed = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            // Panics of the data set are caught within.
            let _ = thread.join();
        }
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Shared<D, M> {
    fn plan(&self) -> MutexGuard<'_, Plan<ContentsOf<D, M>>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws away what is made, and keeps its memory.
    fn clear(&self, plan: &mut Plan<ContentsOf<D, M>>) {
        for delivery in plan.made.drain(..).flatten() {
            if let Ok(Outcome::Made(contents)) = delivery {
                self.maker.pool.give(contents);
            }
        }
    }

    /// What a thread does until the loader is dropped.
    fn work(&self) {
        let ahead = self.maker.options().ahead();
        let mut targets = TargetsOf::<D>::default();
        let mut plan = self.plan();
        while !plan.closed {
            if plan.next >= plan.end || plan.next - plan.taken >= ahead {
                plan = self.work.wait(plan).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (pass, number) = (plan.pass, plan.next);
            plan.next += 1;
            plan.made.push_back(None);
            drop(plan);
            // The targets are written anew for each batch, and what else a panic leaves is the data set's own.
            let made = catch_unwind(AssertUnwindSafe(|| self.maker.make(pass, number, &mut targets)));
            plan = self.plan();
            if plan.pass == pass && number >= plan.taken {
                let place = number - plan.taken;
                if let Some(delivery) = plan.made.get_mut(place) {
                    *delivery = Some(made);
                    self.made.notify_one();
                }
            } else if let Ok(Outcome::Made(contents)) = made {
                self.maker.pool.give(contents);
            }
        }
    }
}

use core::fmt;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ::mpi::Threading;
use ::mpi::topology::Communicator;

use super::exchange::{Answer, Speaker, Task};
use crate::Error;
use crate::train::Processes;

/// The processes of an MPI run.
pub struct World {
    rank: usize,
    count: usize,
    tasks: Mutex<Sender<Task>>,
    answers: Mutex<Receiver<Result<Answer, Error>>>,
    speaker: Option<JoinHandle<()>>,
}

/// How long a process may not answer, if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(6);

impl World {
    /// Begins to speak to the others; once in a process. A program that nobody but its user started is alone.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] when MPI has begun already, or grants no thread that may speak.
    pub fn start() -> Result<Self, Error> {
        Self::start_with_patience(PATIENCE)
    }

    /// The same, where a process may not answer for so long.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub fn start_with_patience(patience: Duration) -> Result<Self, Error> {
        let (tasks, of_speaker) = channel();
        let (to_us, answers) = channel();
        let (begun, has_begun) = channel();
        let speak = move || {
            let Some((universe, granted)) = ::mpi::initialize_with_threading(Threading::Funneled) else {
                let _ = begun.send(Err("MPI has begun already, or has ended".to_owned()));
                return;
            };
            if granted < Threading::Funneled {
                let what = format!("MPI grants {granted:?}, and a thread that speaks takes MPI_THREAD_FUNNELED");
                let _ = begun.send(Err(what));
                return;
            }
            let world = universe.world();
            let of = |number: i32| usize::try_from(number).unwrap_or(0);
            let _ = begun.send(Ok((of(world.rank()), of(world.size()))));
            let speaker = Speaker { world, tasks: of_speaker, answers: to_us, patience };
            if !speaker.run() {
                // Without the others there is no end that MPI would agree to.
                core::mem::forget(universe);
            }
        };
        let failed = |what: String| Error::Process { rank: 0, what };
        let speaker = thread::Builder::new().name("cnn-core mpi".to_owned()).spawn(speak);
        let speaker = speaker.map_err(|error| failed(format!("no thread that speaks: {error}")))?;
        let (rank, count) = match has_begun.recv() {
            Ok(begun) => begun.map_err(failed)?,
            Err(_) => return Err(failed("the thread that speaks has ended".to_owned())),
        };
        Ok(Self { rank, count, tasks: Mutex::new(tasks), answers: Mutex::new(answers), speaker: Some(speaker) })
    }

    /// Waits for all others to come here, and ends.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] when one does not come.
    pub fn finish(mut self) -> Result<(), Error> {
        self.gather(&[])?;
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        self.ask(Task::Finish);
        if let Some(speaker) = self.speaker.take() {
            let _ = speaker.join();
        }
    }

    fn ask(&self, task: Task) {
        // One that has ended gives no answer, which is found there.
        let _ = self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(task);
    }

    fn answer(&self) -> Result<Answer, Error> {
        let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ended = || Error::Process { rank: self.rank, what: "the thread that speaks has ended".to_owned() };
        answers.recv().map_err(|_| ended())?
    }
}

impl Processes for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        self.ask(Task::Gather(numbers.to_vec()));
        match self.answer()? {
            Answer::Gathered(gathered) => Ok(gathered),
            Answer::Summed(_) => Err(self.out_of_order()),
        }
    }

    fn begin_sum(&self, values: Vec<f32>) {
        self.ask(Task::Sum(values));
    }

    fn end_sum(&self) -> Result<Vec<f32>, Error> {
        match self.answer()? {
            Answer::Summed(sum) => Ok(sum),
            Answer::Gathered(_) => Err(self.out_of_order()),
        }
    }

    fn fail(&self, why: &str) {
        self.ask(Task::Fail(why.to_owned()));
    }
}

impl World {
    fn out_of_order(&self) -> Error {
        Error::Process {
            rank: self.rank,
            what: "sums that were begun are taken before numbers are gathered".to_owned(),
        }
    }
}

/// Who has not [finished](World::finish) has failed: MPI is not ended then, which lets `mpirun` end the others.
impl Drop for World {
    fn drop(&mut self) {
        if self.speaker.is_some() && self.count > 1 {
            self.ask(Task::Fail("it ended before the run did".to_owned()));
            // What it has to say should be on its way.
            thread::sleep(Duration::from_millis(50));
        } else if self.speaker.is_some() {
            self.end();
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "World(process {} of {})", self.rank, self.count)
    }
}

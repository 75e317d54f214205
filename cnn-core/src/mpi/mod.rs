//! Training on several processes, and machines, that MPI starts: `mpirun -n 4 program`. The feature `mpi`; it takes an MPI
//! library, such as Debian's `libopenmpi-dev` and `libclang-dev`.
//!
//! The batch of a step is cut into shards, as many whatever the number of processes is, and each process has some that lie one
//! behind the other. The same shards make the same bits on 1, 2, 4 .. processes, so a run goes on from its
//! [snapshot](crate::io::Snapshot) with another number of them.
//!
//! ```no_run
//! use cnn_core::mpi::World;
//! use cnn_core::prelude::*;
//! use cnn_core::train::{Processes, shards_of};
//!
//! network! {
//!     /// A linear classifier.
//!     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
//! }
//!
//! fn main() -> Result<(), Error> {
//!     const SHARDS: usize = 4;
//!     let world = World::start()?;
//!     let own = shards_of(world.rank(), world.count(), SHARDS)?;
//!     let (mut net, mut training) = (Classifier::new(0), Training::new(0));
//!     let mut optimizer = Sgd::new(SgdOptions::new(0.1))?;
//!     for step in 0..100 {
//!         let images: Vec<Batch<_>> = own.clone().map(|_shard| Batch::zeros(8)).collect(); // of this step and shard
//!         let labels = Labels::new(&[0; 8])?;
//!         let shards: Vec<_> = images.iter().map(|images| (images, CrossEntropy::new(&labels))).collect();
//!         let loss = training.backward_among(&world, Mode::Training, &mut net, &shards)?;
//!         optimizer.step(&mut net, training.gradients());
//!         if world.rank() == 0 {
//!             println!("{step}: {loss}");
//!         }
//!     }
//!     world.finish()
//! }
//! ```
//!
//! A batch normalization sees its shard alone, or all shards of all processes: see
//! [`set_sync_batch_norm`](crate::train::Training::set_sync_batch_norm). Over epochs, with validation and snapshots, it is
//! `fit::Trainer::fit_among`.
//!
//! # What happens to a process that ends
//!
//! `mpirun` ends the others when one ends without having said so, and says which it was. Where it does not (`srun`, say), those
//! that wait for it ask every second whether it is there, and if it has not answered for some seconds, they get
//! [`Error::Process`] with its rank. A process that is slow answers, as a thread of its own does that. The run goes on from the last
//! snapshot, with fewer processes too.
//!
//! # Threads
//!
//! One thread of each process speaks to the others, that is, it calls MPI, in one order; MPI is asked for the level
//! `MPI_THREAD_FUNNELED`, and less is an error. Processes on one machine share its cores: give each
//! [threads](crate#threads) of its own, `RAYON_NUM_THREADS=2 mpirun -n 4 program` on eight.

mod exchange;
mod world;

pub use world::World;

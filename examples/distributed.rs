//! Trains a network of the gallery on several processes, with a snapshot behind each step: the same bits for any number.
//!
//! ```text
//! cargo build --release --features mpi --example distributed
//! RAYON_NUM_THREADS=1 mpirun -n 2 target/release/examples/distributed --network vgg_cifar --folder run
//! ```
//!
//! It trains on noise, to show how such a program is built. What it has done is in the last snapshot of the folder, from which it
//! goes on, with another number of processes too.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use cnn_core::io::{Snapshot, Snapshots};
use cnn_core::mpi::World;
use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose};
use cnn_core::train::{Optimizer, Processes, shards_of};

pub mod networks;

use networks::{Name, Truth, Visitor};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    network: Name,
    /// Shards of a step, a power of two: as many whatever the number of processes is
    #[arg(long, default_value = "4")]
    shards: NonZeroUsize,
    /// Samples of a shard
    #[arg(long, default_value = "4")]
    samples: NonZeroUsize,
    /// Steps
    #[arg(long, default_value = "20")]
    steps: NonZeroU64,
    /// Where snapshots are, and where one is looked for to go on from
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let world = World::start()?;
    let network = arguments.network;
    network.visit(Run { arguments: &arguments, world: &world }).with_context(|| format!("process {}", world.rank()))?;
    Ok(world.finish()?)
}

struct Run<'a> {
    arguments: &'a Arguments,
    world: &'a World,
}

impl Visitor for Run<'_> {
    type Output = anyhow::Result<()>;

    fn visit<N: Network, T: Truth<N::Output>>(self) -> anyhow::Result<()> {
        let Self { arguments: Arguments { shards, samples, steps, folder, .. }, world } = self;
        let samples = samples.get();
        let own = shards_of(world.rank(), world.count(), shards.get())?;
        let snapshots = folder.as_ref().map(Snapshots::in_folder).transpose()?;
        let (mut net, mut training) = (N::new(1), Training::<N>::new(2));
        let mut optimizer = Adam::<N>::new(AdamOptions::new(1e-3))?;
        if let Some(saved) = snapshots.as_ref().map(Snapshots::read_latest).transpose()?.flatten() {
            saved.restore(&mut [("model", &mut net), ("training", &mut training), ("optimizer", &mut optimizer)])?;
        }
        let truth = T::any(samples)?;
        let mut images = vec![Batch::zeros(samples); own.len()];
        while training.step() < steps.get() {
            let start = Instant::now();
            for (shard, images) in own.clone().zip(&mut images) {
                let key = Key {
                    purpose: Purpose::Augmentation,
                    seed: 3,
                    step: training.step(),
                    layer: 0,
                    sample: shard as u64,
                };
                key.stream().fill_symmetric(1.0, images.values_mut());
            }
            let shards: Vec<_> = images.iter().map(|images| (images, truth.loss())).collect();
            let loss = training.backward_among(world, Mode::Training, &mut net, &shards)?;
            optimizer.step(&mut net, training.gradients());
            if world.rank() == 0 {
                // One writes, and the others need not wait: they see the same bits in memory.
                if let Some(snapshots) = &snapshots {
                    let run = Snapshot::new().with("model", &net).with("training", &training);
                    snapshots.save(training.step(), &run.with("optimizer", &optimizer))?;
                }
                println!("step {}: loss {loss:.6}, {:.1} ms", training.step(), 1e3 * start.elapsed().as_secs_f64());
            }
        }
        if let (0, Some(folder)) = (world.rank(), folder) {
            let run = Snapshot::new().with("model", &net).with("training", &training);
            run.with("optimizer", &optimizer).save(folder.join("last.safetensors"))?;
        }
        Ok(())
    }
}

//! Trains a network of the gallery on several processes, with a snapshot behind each step: the same bits for any number.
//!
//! ```text
//! cargo build --release --features mpi --example distributed
//! RAYON_NUM_THREADS=1 mpirun -n 2 target/release/examples/distributed --network vgg_cifar --folder run
//! ```
//!
//! It trains on noise, to show how such a program is built, or on the samples of a file, all of them in each step, to be compared
//! with PyTorch's `DistributedDataParallel` (`benches/peers/distributed.py`). What it has done is in the last snapshot of the
//! folder, from which it goes on, with another number of processes too.

use std::fs;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use cnn_core::io::{Snapshot, Snapshots};
use cnn_core::mpi::World;
use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose};
use cnn_core::shape::Shape;
use cnn_core::train::{Optimizer, Processes, shards_of};
use safetensors::SafeTensors;

pub mod networks;

use networks::{Name, Truth, Visitor};

#[derive(Parser)]
struct Arguments {
    #[arg(long, required_unless_present = "measure")]
    network: Option<Name>,
    /// Measures how long sums of several sizes take among the processes, and trains nothing
    #[arg(long)]
    measure: bool,
    /// Shards of a step, a power of two: as many whatever the number of processes is
    #[arg(long, default_value = "4")]
    shards: NonZeroUsize,
    /// Samples of a shard
    #[arg(long, default_value = "4")]
    samples: NonZeroUsize,
    /// Normalizations take the statistics of all shards, not those of their own
    #[arg(long)]
    sync_batch_norm: bool,
    /// Steps
    #[arg(long, default_value = "20")]
    steps: NonZeroU64,
    /// Weights to start from
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Samples of all steps instead of noise, a safetensors file with `input` (f32, N x C x H x W) and `labels` (i64, N)
    #[arg(long)]
    input: Option<PathBuf>,
    /// Where snapshots are, and where one is looked for to go on from
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let world = World::start()?;
    let Some(network) = arguments.network.filter(|_| !arguments.measure) else {
        measure(&world)?;
        return Ok(world.finish()?);
    };
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
        let Self { arguments, world } = self;
        let Arguments { shards, samples, steps, folder, weights, input, .. } = arguments;
        let samples = samples.get();
        let own = shards_of(world.rank(), world.count(), shards.get())?;
        let snapshots = folder.as_ref().map(Snapshots::in_folder).transpose()?;
        let (mut net, mut training) = (N::new(1), Training::<N>::new(2));
        training.set_sync_batch_norm(arguments.sync_batch_norm);
        let mut optimizer = Sgd::<N>::new(SgdOptions::new(0.01).momentum(0.9))?;
        if let Some(saved) = snapshots.as_ref().map(Snapshots::read_latest).transpose()?.flatten() {
            saved.restore(&mut [("model", &mut net), ("training", &mut training), ("optimizer", &mut optimizer)])?;
        }
        if let Some(weights) = weights.as_ref().filter(|_| training.step() == 0) {
            net.load(weights)?;
        }
        let (mut images, truth): (Vec<Batch<N::Input>>, Vec<T>) = match input {
            Some(file) => own.clone().map(|shard| read(file, shard, shards.get())).collect::<Result<_, _>>()?,
            None => own.clone().map(|_| Ok((Batch::zeros(samples), T::any(samples)?))).collect::<Result<_, Error>>()?,
        };
        while training.step() < steps.get() {
            let start = Instant::now();
            for (shard, images) in own.clone().zip(&mut images).filter(|_| input.is_none()) {
                let key = Key {
                    purpose: Purpose::Augmentation,
                    seed: 3,
                    step: training.step(),
                    layer: 0,
                    sample: shard as u64,
                };
                key.stream().fill_symmetric(1.0, images.values_mut());
            }
            let shards: Vec<_> = images.iter().zip(truth.iter().map(T::loss)).collect();
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

/// The median time of sums of several sizes, and of the numbers that a step begins with.
fn measure(world: &World) -> Result<(), Error> {
    const ROUNDS: usize = 21;
    let median = |work: &dyn Fn() -> Result<(), Error>| -> Result<f64, Error> {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            world.gather(&[0.0])?;
            let start = Instant::now();
            work()?;
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(times[ROUNDS / 2])
    };
    let gathered = median(&|| world.gather(&[0.0; 8]).map(drop))?;
    if world.rank() == 0 {
        println!("{} processes; 8 numbers gathered: {gathered:.3} ms", world.count());
    }
    for values in [1_usize << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 22, 11_689_512] {
        let summed = median(&|| {
            world.begin_sum(vec![1.0; values]);
            world.end_sum().map(drop)
        })?;
        if world.rank() == 0 {
            println!("{:>9.3} MB summed: {summed:.3} ms", 4e-6 * values as f64);
        }
    }
    Ok(())
}

/// One of so many parts of the samples of a file.
fn read<S: Shape, O: Shape, T: Truth<O>>(file: &Path, shard: usize, shards: usize) -> anyhow::Result<(Batch<S>, T)> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let tensors = SafeTensors::deserialize(&bytes).with_context(|| file.display().to_string())?;
    let part = |name: &str| -> anyhow::Result<&[u8]> {
        let data = tensors.tensor(name)?.data();
        let of_one = data.len() / shards;
        Ok(&data[shard * of_one..(shard + 1) * of_one])
    };
    let values: Vec<f32> = part("input")?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok((Batch::from_nchw(&values)?, T::read(part(T::NAME)?)?))
}

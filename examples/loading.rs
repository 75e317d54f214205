//! Times how batches are made; `benches/peers/loading.py` compares it with torchvision.
//!
//! ```text
//! cargo run --release --example loading -- train --data /usr/share/datasets/fashion-mnist
//! cargo run --release --example loading -- folder FOLDER --workers 2
//! ```
//!
//! `train` trains LeNet-5 on Fashion-MNIST in turn on one batch that lies in memory and on those that the loader makes. `folder` goes
//! through a folder of photographs for each class, and trains nothing.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use cnn_core::data::{
    CenterCrop, ImageFolder, LabelledImages, Loader, LoaderOptions, Normalize, Pictures, RandomCrop,
    RandomHorizontalFlip, RandomResizedCrop, Transforms,
};
use cnn_core::prelude::*;

pub mod networks;

use networks::lenet5::LeNet5;

#[derive(Parser)]
enum Arguments {
    /// The loader's share of the speed of training on one batch in memory
    Train {
        /// The folder of Fashion-MNIST's four IDX files
        #[arg(long)]
        data: PathBuf,
        /// Samples of a step
        #[arg(long, default_value_t = 64)]
        batch: usize,
        /// Threads that make batches
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
    /// Pictures a second, and the memory of the process, in each epoch
    Folder {
        folder: PathBuf,
        #[arg(long, default_value_t = 32)]
        batch: usize,
        #[arg(long, default_value_t = 2)]
        workers: usize,
        #[arg(long, default_value_t = 4)]
        epochs: u64,
        #[arg(long, default_value = "random")]
        crop: Crop,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Crop {
    /// 224 x 224 pixels from the middle, as they are
    Center,
    /// A part of random size and place, resized to 224 x 224, half of them mirrored
    Random,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse() {
        Arguments::Train { data, batch, workers } => train(data, batch, workers),
        Arguments::Folder { folder, batch, workers, epochs, crop } => go_through(folder, batch, workers, epochs, crop),
    }
}

const ROUNDS: usize = 9;
const STEPS: usize = 300;

fn train(data: PathBuf, batch: usize, workers: usize) -> anyhow::Result<()> {
    let file = |content: &str| data.join(format!("train-{content}-ubyte.gz"));
    let images = LabelledImages::<10>::read_idx(file("images-idx3"), file("labels-idx1"))?;
    let images = std::sync::Arc::new(images);
    let normalize = Normalize::of(&images, 1)?;
    let options = LoaderOptions::new(batch).shuffled().drop_last().workers(workers);
    let (mut net, mut training) = (LeNet5::new(0), Training::new(0));
    let mut optimizer = Sgd::new(SgdOptions::new(0.01).momentum(0.9))?;
    let mut step = |images: &Batch<Chw<1, 28, 28>>, labels: &Labels<10>| {
        training.backward(Mode::Training, &mut net, images, &CrossEntropy::new(labels))?;
        optimizer.step(&mut net, training.gradients());
        Ok::<(), Error>(())
    };
    for (name, transforms) in [
        ("plain", Transforms::new()),
        ("augmented", Transforms::new().then(RandomCrop::of(28, 28).padding(2)).then(RandomHorizontalFlip::new(0.5))),
    ] {
        let pictures = Pictures::<_, Chw<1, 28, 28>>::new(images.clone(), transforms.normalize(normalize.clone()))?;
        let mut loader = Loader::new(pictures, options.clone())?;
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let mut epoch = loader.epoch(round as u64);
            let Some(first) = epoch.next().transpose()? else { anyhow::bail!("no whole batch of {batch}") };
            let start = Instant::now();
            for _ in 0..STEPS {
                step(&first.input, &first.targets)?;
            }
            times[0].push(start.elapsed().as_secs_f64());
            drop(first);
            // As many as were made ahead meanwhile are not counted.
            let mut rest = epoch.by_ref().take(STEPS + 50);
            for made in rest.by_ref().take(50) {
                let made = made?;
                step(&made.input, &made.targets)?;
            }
            let (start, mut steps) = (Instant::now(), 0);
            for made in rest {
                let made = made?;
                step(&made.input, &made.targets)?;
                steps += 1;
            }
            times[1].push(start.elapsed().as_secs_f64() * STEPS as f64 / f64::from(steps));
        }
        let [in_memory, loaded] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            (STEPS * batch) as f64 / times[ROUNDS / 2]
        });
        println!(
            r#"{{"pictures": "{name}", "batch": {batch}, "in_memory_per_s": {in_memory:.0}, "loaded_per_s": {loaded:.0}, "share": {:.3}}}"#,
            loaded / in_memory
        );
    }
    Ok(())
}

fn go_through(folder: PathBuf, batch: usize, workers: usize, epochs: u64, crop: Crop) -> anyhow::Result<()> {
    let pictures = ImageFolder::<1000>::open_some(folder)?;
    let transforms = match crop {
        Crop::Center => {
            Transforms::new().then(CenterCrop::of(224, 224)).normalize(Normalize::new(&[0.0; 3], &[1.0; 3])?)
        }
        Crop::Random => Transforms::new()
            .then(RandomResizedCrop::of(224, 224))
            .then(RandomHorizontalFlip::new(0.5))
            .normalize(Normalize::imagenet()),
    };
    let pictures = Pictures::<_, Chw<3, 224, 224>>::new(pictures, transforms)?;
    let mut loader = Loader::new(pictures, LoaderOptions::new(batch).shuffled().workers(workers))?;
    for epoch in 0..epochs {
        let (start, mut seen) = (Instant::now(), 0);
        for made in loader.epoch(epoch) {
            seen += made?.input.len();
        }
        let per_second = seen as f64 / start.elapsed().as_secs_f64();
        println!(r#"{{"epoch": {epoch}, "pictures_per_s": {per_second:.0}, "resident_mb": {:.1}}}"#, resident());
    }
    Ok(())
}

/// Megabytes of the process that are in memory, where the system says so.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN);
    kilobytes / 1e3
}

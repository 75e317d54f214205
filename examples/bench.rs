//! Times a network of the gallery and prints one JSON line; `benches/peers/` prints the same for other libraries.
//!
//! ```text
//! cargo run --release --example bench -- --network lenet5 --mode train --batch 64 --threads 2
//! ```

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cnn_core::kernel::isa;
use cnn_core::network::MadeFor;
use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose};

pub mod networks;

use networks::{Name, Truth, Visitor};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    network: Name,
    #[arg(long)]
    mode: Timed,
    /// Samples of a step
    #[arg(long)]
    batch: NonZeroUsize,
    /// Threads; as many as the machine has cores if not given
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Timed steps; as many as `--seconds` hold, at least 5, if not given
    #[arg(long)]
    repeat: Option<NonZeroUsize>,
    /// Of training: the part that is trained, as `fc`; the others are frozen, and run as in evaluation
    #[arg(long)]
    only: Option<String>,
    /// How long steps are timed, if not so many
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// What a step is.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Timed {
    /// Forward in evaluation mode
    Infer,
    /// A frozen network's predictor, sample by sample if the batch is one
    Predict,
    /// Forward, the loss, backward, SGD with momentum
    Train,
}

const WARM_UPS: usize = 3;

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global()?;
    }
    let mut times = arguments.network.visit(arguments)?;
    times.sort_unstable();
    println!(
        r#"{{"network": "{}", "mode": "{}", "batch": {}, "threads": {}, "isa": "{}", "median_ms": {:.4}, "min_ms": {:.4}, "runs": {}}}"#,
        value_name(&arguments.network),
        value_name(&arguments.mode),
        arguments.batch,
        rayon::current_num_threads(),
        isa::name(),
        milliseconds(median(&times)),
        milliseconds(times[0]),
        times.len(),
    );
    Ok(())
}

impl Arguments {
    /// The times of the steps after the warm-ups, in which memory is allocated and caches fill.
    fn repeat(&self, mut step: impl FnMut() -> Result<(), Error>) -> Result<Vec<Duration>, Error> {
        for _ in 0..WARM_UPS {
            step()?;
        }
        let start = Instant::now();
        let mut times = Vec::new();
        let enough = |done: usize| match self.repeat {
            Some(runs) => done >= runs.get(),
            None => done >= 5 && start.elapsed() > Duration::from_secs(self.seconds),
        };
        while !enough(times.len()) {
            let start = Instant::now();
            step()?;
            times.push(start.elapsed());
        }
        Ok(times)
    }
}

impl Visitor for &Arguments {
    type Output = Result<Vec<Duration>, Error>;

    fn visit<N: Network, T: Truth<N::Output>>(self) -> Self::Output {
        let samples = self.batch.get();
        let mut network = N::new(0);
        let mut input = Batch::zeros(samples);
        let key = Key { purpose: Purpose::Augmentation, seed: 0, step: 0, layer: 0, sample: 0 };
        key.stream().fill_symmetric(1.0, input.values_mut());
        match self.mode {
            Timed::Infer => {
                let (mut inference, mut output) = (Inference::new(), Batch::zeros(samples));
                self.repeat(|| {
                    inference.run(&network, &input, &mut output);
                    Ok(())
                })
            }
            Timed::Predict if samples == 1 => {
                let mut sample = Tensor::zeros();
                sample.values_mut().copy_from_slice(input.values());
                let mut predictor = network.freeze();
                self.repeat(|| {
                    predictor.predict(&sample);
                    Ok(())
                })
            }
            Timed::Predict => {
                let (mut predictor, mut output) = (network.freeze_for(MadeFor::Batches), Batch::zeros(samples));
                self.repeat(|| {
                    predictor.predict_batch(&input, &mut output);
                    Ok(())
                })
            }
            Timed::Train => {
                let truth = T::any(samples)?;
                let mut training = Training::new(0);
                let mut optimizer = Sgd::new(SgdOptions::new(0.01).momentum(0.9))?;
                if let Some(part) = &self.only {
                    network.freeze_weights("")?;
                    network.unfreeze_weights(part)?;
                    training.set_mode("", Mode::Evaluation)?;
                    training.set_mode(part, Mode::Training)?;
                }
                self.repeat(|| {
                    training.backward(Mode::Training, &mut network, &input, &truth.loss())?;
                    optimizer.step(&mut network, training.gradients());
                    Ok(())
                })
            }
        }
    }
}

/// Of sorted times.
fn median(times: &[Duration]) -> Duration {
    (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2
}

fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

fn value_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

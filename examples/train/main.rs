//! Trains a network of the gallery on a folder of pictures.
//!
//! ```text
//! cargo run --release --example train -- --network lenet5 --data /usr/share/datasets/fashion-mnist
//! cargo run --release --example train -- --network resnet18 --data flowers --weights resnet18.pth --freeze "" --train fc
//! ```

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use cnn_core::data::{Class, Dataset, PictureSource, Pictures};
use cnn_core::fit::{Accuracy, Ended, OfClasses, Trainer, evaluate};
use cnn_core::io::{Loading, Snapshots};
use cnn_core::loss::Logits;
use cnn_core::metric::ConfusionMatrix;
use cnn_core::network::Network;
use cnn_core::optim::schedule::{Better, ConstantLr, CosineAnnealingLr, OneCycleLr, StepLr};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::train::Averaging;

mod data;
#[path = "../networks/mod.rs"]
pub mod networks;
mod optimizer;
#[path = "../output/mod.rs"]
pub mod output;
mod report;

use data::Found;

/// Trains a network of the gallery on a folder of pictures.
///
/// The folder holds one of: `train` and `val`, each with a folder of JPEG or PNG files for each class; a folder for each class, of
/// which a fifth of the pictures is held out; or four IDX files as MNIST's, of which a tenth of the training pictures is held out
/// to choose by, and the t10k pictures are reported on once, at the end.
#[derive(Parser)]
#[command(
    after_help = "A run that was stopped, by Ctrl-C or otherwise, goes on with the same command and --resume, bit for bit."
)]
struct Arguments {
    /// The network
    #[arg(long)]
    network: Name,
    /// The folder of pictures
    #[arg(long)]
    data: PathBuf,
    /// How often each picture is seen
    #[arg(long, default_value = "10")]
    epochs: NonZeroU64,
    /// Pictures of a step
    #[arg(long, default_value = "64")]
    batch: NonZeroUsize,
    #[arg(long, default_value = "sgd")]
    optimizer: optimizer::Name,
    /// Learning rate at its height; what is usual for the optimizer if not given
    #[arg(long)]
    lr: Option<f64>,
    /// Weight decay, of weights and not of biases and normalizations
    #[arg(long, default_value_t = 5e-4)]
    decay: f64,
    /// How the learning rate changes
    #[arg(long, default_value = "cosine")]
    schedule: Schedule,
    /// What is done to training pictures
    #[arg(long, default_value = "flip")]
    augment: Augment,
    /// Share of each label that is given to all classes
    #[arg(long, default_value_t = 0.0)]
    label_smoothing: f32,
    /// Reports on, and saves, a running average of the weights, of this decay, such as 0.999
    #[arg(long)]
    average: Option<f64>,
    /// Weights to start from, by PyTorch's names: safetensors or a file of torch.save; what does not fit is told and left out
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Parts whose weights stay as they are, by PyTorch's names, as `layer1`; "" is all
    #[arg(long)]
    freeze: Vec<String>,
    /// Parts of what is frozen that are trained nevertheless, as `fc`
    #[arg(long)]
    train: Vec<String>,
    /// Ends when the accuracy on what is held out was no better for so many epochs
    #[arg(long)]
    patience: Option<u64>,
    /// Where snapshots and the trained weights go
    #[arg(long, default_value = "run")]
    run: PathBuf,
    /// Goes on from the last snapshot there
    #[arg(long)]
    resume: bool,
    /// Where a page about the run goes, for a browser: curves, confusion matrix, filters, the network
    #[arg(long)]
    report: Option<PathBuf>,
    /// Decides all that is random, and what is held out
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads that read and transform pictures ahead
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Name {
    /// LeNet-5, 28 x 28 grey, 10 classes
    #[value(name = "lenet5")]
    LeNet5,
    /// A small residual network, 28 x 28 grey, 10 classes
    #[value(name = "resnet_small")]
    ResNetSmall,
    /// Six 3 x 3 convolutions, 32 x 32 colour, 10 classes
    VggCifar,
    /// ResNet-18, 224 x 224 colour, up to 1000 classes, as all that follow
    #[value(name = "resnet18")]
    ResNet18,
    /// MobileNetV2
    MobileNetV2,
    /// EfficientNet-B0
    EfficientNetB0,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Schedule {
    /// It stays as it is
    Constant,
    /// A tenth after each third of the epochs
    Step,
    /// Half a wave down to zero
    Cosine,
    /// Up for a third, then down: one cycle
    OneCycle,
}

/// What is done to training pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Augment {
    None,
    /// Cut out at random places: of small pictures, moved by a few pixels
    Shift,
    /// The same, and half of them mirrored
    Flip,
    /// The same with other brightness and contrast, and some with a hole
    Strong,
}

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(report) = &arguments.report {
        output::check(report)?;
    }
    match arguments.network {
        Name::LeNet5 => train::<networks::LeNet5, 1, 28, 28, 10>(arguments),
        Name::ResNetSmall => train::<networks::ResNetSmall, 1, 28, 28, 10>(arguments),
        Name::VggCifar => train::<networks::VggCifar, 3, 32, 32, 10>(arguments),
        Name::ResNet18 => train::<networks::ResNet18, 3, 224, 224, 1000>(arguments),
        Name::MobileNetV2 => train::<networks::MobileNetV2, 3, 224, 224, 1000>(arguments),
        Name::EfficientNetB0 => train::<networks::EfficientNetB0, 3, 224, 224, 1000>(arguments),
    }
}

fn train<N, const C: usize, const H: usize, const W: usize, const CLASSES: usize>(
    arguments: &Arguments,
) -> anyhow::Result<()>
where
    N: Network<Input = Chw<C, H, W>>,
    N::Output: Logits<CLASSES>,
    Chw<C, H, W>: Shape,
{
    let is_small = H < 64;
    match data::find::<CLASSES>(&arguments.data, arguments.seed)? {
        Found::Idx([training, validation, test]) => {
            let names = (0..CLASSES).map(|class| class.to_string()).collect();
            train_on::<N, _, C, H, W, CLASSES>(
                arguments,
                data::batches(arguments, [training, validation], Some(test), names, is_small)?,
            )
        }
        Found::Folders(parts, names) => {
            train_on::<N, _, C, H, W, CLASSES>(arguments, data::batches(arguments, parts, None, names, is_small)?)
        }
    }
}

fn train_on<N, S, const C: usize, const H: usize, const W: usize, const CLASSES: usize>(
    arguments: &Arguments,
    data: data::Batches<S, Chw<C, H, W>>,
) -> anyhow::Result<()>
where
    N: Network<Input = Chw<C, H, W>>,
    N::Output: Logits<CLASSES>,
    Chw<C, H, W>: Shape,
    S: PictureSource<Target = Class<CLASSES>> + Send + 'static,
    Pictures<S, Chw<C, H, W>>: Dataset<Input = Chw<C, H, W>, Target = Class<CLASSES>>,
{
    let data::Batches { mut training, mut validation, mut test, names } = data;
    println!(
        "{}: {} parameters; {} classes, {} pictures to learn from, {} to choose by{}",
        N::NAME,
        N::PARAMETERS,
        names.len(),
        training.dataset().len(),
        validation.dataset().len(),
        test.as_ref().map_or(String::new(), |test| format!(", {} to report on", test.dataset().len())),
    );
    let network = network::<N>(arguments)?;
    let epochs = arguments.epochs.get();
    let steps = epochs * training.batches_per_epoch() as u64;
    let lr = arguments.lr.unwrap_or(arguments.optimizer.usual_lr());
    let optimizer = optimizer::Any::new(arguments.optimizer, lr, arguments.decay)?;
    let snapshots = Snapshots::in_folder(arguments.run.join("snapshots"))?;
    let trainer = Trainer::new(network, optimizer, arguments.seed).monitor("accuracy", Better::More);
    let trainer = match arguments.schedule {
        Schedule::Constant => trainer.schedule(ConstantLr { lr, factor: 1.0, total_iters: 0 }),
        Schedule::Step => trainer.schedule(StepLr { lr, step_size: steps.div_ceil(3), gamma: 0.1 }),
        Schedule::Cosine => trainer.schedule(CosineAnnealingLr { lr, t_max: steps, eta_min: 0.0 }),
        Schedule::OneCycle => trainer.schedule(OneCycleLr::new(lr, steps)),
    };
    let mut trainer = trainer.snapshots(snapshots.keep_last(2)).on_epoch(|epoch, _| {
        let best = if epoch.is_best { ", the best so far" } else { "" };
        println!(
            "epoch {}: loss {:.4}, held out: {}{best}; {:.0} pictures/s",
            epoch.number, epoch.loss, epoch.scores, epoch.rate
        );
        std::ops::ControlFlow::Continue(())
    });
    if let Some(decay) = arguments.average {
        trainer = trainer.averaged(Averaging::Exponential { decay })?;
    }
    if let Some(patience) = arguments.patience {
        trainer = trainer.early_stopping(patience);
    }
    let has_snapshots = !snapshots_of(arguments)?.is_empty();
    match (arguments.resume, has_snapshots) {
        (true, true) => {
            trainer.resume()?;
            println!("goes on behind epoch {}", trainer.epochs());
        }
        (false, true) => bail!(
            "{}: has snapshots of a run before; go on with --resume, or name another folder with --run",
            arguments.run.display()
        ),
        (_, false) => {}
    }
    let criterion = OfClasses::<CLASSES>::new().label_smoothing(arguments.label_smoothing);
    let plain = OfClasses::<CLASSES>::new();
    let ended = trainer.fit(&mut training, &criterion, epochs, |net| {
        evaluate(net, &mut validation, &plain, &mut [&mut Accuracy::default()])
    })?;
    if let Ended::Interrupted { .. } = ended {
        println!("{ended}: the same command with --resume");
        return Ok(());
    }
    println!("{ended}");
    let history = trainer.history().clone();
    let network = trainer.into_network();
    let weights = arguments.run.join("weights.safetensors");
    network.save_safetensors(&weights)?;
    println!("weights saved to {}", weights.display());
    let (what, reported) = match &mut test {
        Some(test) => ("test", test),
        None => ("held out", &mut validation),
    };
    let mut confusion = ConfusionMatrix::<CLASSES>::new();
    let scores = evaluate(&network, reported, &plain, &mut [&mut Accuracy::default(), &mut confusion])?;
    println!("{what}: {scores}");
    if let Some(path) = &arguments.report {
        let run = report::Run {
            title: format!("{} on {}", N::NAME, arguments.data.display()),
            scores: format!("{what}: {scores}"),
            history: &history,
            confusion: &confusion,
            names: &names,
        };
        run.save(path, &network, reported)?;
        println!("report: {}", path.display());
    }
    Ok(())
}

fn snapshots_of(arguments: &Arguments) -> Result<Vec<u64>, Error> {
    Snapshots::in_folder(arguments.run.join("snapshots"))?.steps()
}

/// The network as the run starts with it.
fn network<N: Network>(arguments: &Arguments) -> anyhow::Result<N> {
    let mut network = N::new(arguments.seed);
    if let Some(file) = &arguments.weights {
        let report = network.load_with(file, &Loading::new().strict(false))?;
        let left_out: Vec<_> = report.missing().chain(report.of_another_shape()).collect();
        // A file may lack counts of batches, as PyTorch's older ones do.
        let mut tensors = network.weights().tensors().filter(|tensor| !tensor.name.ends_with("num_batches_tracked"));
        if tensors.all(|tensor| left_out.contains(&&*tensor.name)) {
            bail!("{}: nothing in it fits {}: {report}", file.display(), N::NAME);
        }
        print!("{report}");
    }
    for part in &arguments.freeze {
        network.freeze_weights(part).context("--freeze")?;
    }
    for part in &arguments.train {
        network.unfreeze_weights(part).context("--train")?;
    }
    Ok(network)
}

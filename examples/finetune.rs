//! Fine-tunes a network that was trained on something else: its weights from a `state_dict` file, a new head, and a folder of
//! pictures for each class.
//!
//! ```text
//! cargo run --release --example digits -- --save digits.safetensors
//! cargo run --release --example finetune -- --weights digits.safetensors --data clothes --make /usr/share/datasets/fashion-mnist
//! cargo run --release --example finetune -- --network resnet18 --weights resnet18.pth --data flowers
//! ```
//!
//! First the head alone learns, which costs little more than inference, and then all of it at a tenth of the rate.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{bail, ensure};
use clap::{Parser, ValueEnum};
use cnn_core::data::{
    CenterCrop, Class, Dataset, ImageFolder, LabelledImages, Loader, LoaderOptions, Normalize, Part, Pictures,
    RandomCrop, RandomHorizontalFlip, RandomResizedCrop, Resize, Subset, Transforms, stratified_split,
};
use cnn_core::fit::{Accuracy, OfClasses, Trainer, evaluate};
use cnn_core::io::Loading;
use cnn_core::layer::Operation;
use cnn_core::network::Network;
use cnn_core::optim::schedule::{ConstantLr, CosineAnnealingLr, Schedule, Sequential};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;

pub mod networks;
pub mod output;

use networks::ResNet18Features;

/// As many as there are folders: change it to yours.
const CLASSES: usize = 10;

network! {
    /// LeNet-5 as `examples/digits.rs` trains it, with another last layer.
    pub Small<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
        conv2: conv2d<16, 5>, relu, max_pool2d<2>, flatten,
        fc1: linear<120>, relu, fc2: linear<84>, relu,
        head: linear<CLASSES>,
    }

    /// torchvision's ResNet-18, with another last layer.
    pub ResNet18<3, 224, 224> { _: ResNet18Features, head: linear<CLASSES> }
}

/// Fine-tunes a network on a folder of pictures for each class: ten, or as many as `CLASSES` in the program says.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "small")]
    network: Name,
    /// What it has learned before: safetensors, or a file of torch.save
    #[arg(long)]
    weights: PathBuf,
    /// A folder of PNG or JPEG files for each class; a fifth of each is held out
    #[arg(long)]
    data: PathBuf,
    /// Makes that folder first, if it is not there: of 4,000 pictures of MNIST's or Fashion-MNIST's files in this one
    #[arg(long)]
    make: Option<PathBuf>,
    /// Epochs of the head alone
    #[arg(long, default_value_t = 2)]
    head: u64,
    /// Epochs of all of it
    #[arg(long, default_value_t = 20)]
    all: u64,
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Where the weights go
    #[arg(long, default_value = "finetuned.safetensors")]
    save: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// LeNet-5 for 28 x 28 grey pictures
    Small,
    /// ResNet-18 for 224 x 224 colour pictures
    #[value(name = "resnet18")]
    ResNet18,
}

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    output::check(&arguments.save)?;
    if let Some(idx) = arguments.make.as_ref().filter(|_| !arguments.data.exists()) {
        make(idx, &arguments.data)?;
    }
    match arguments.network {
        Name::Small => {
            let augmented = Transforms::new().then(RandomCrop::new(28).padding(2)).then(RandomHorizontalFlip::new(0.5));
            let normalize = Normalize::new(&[0.286], &[0.353])?; // Fashion-MNIST's
            finetune::<Small, 1, 28, 28>(arguments, augmented, Transforms::new().then(Resize::new(28, 28)), &normalize)
        }
        Name::ResNet18 => {
            let augmented = Transforms::new().then(RandomResizedCrop::new(224)).then(RandomHorizontalFlip::new(0.5));
            let plain = Transforms::new().then(Resize::shorter(256)).then(CenterCrop::new(224));
            finetune::<ResNet18, 3, 224, 224>(arguments, augmented, plain, &Normalize::imagenet())
        }
    }
}

fn finetune<N, const C: usize, const H: usize, const W: usize>(
    arguments: &Arguments,
    augmented: Transforms,
    plain: Transforms,
    normalize: &Normalize,
) -> anyhow::Result<()>
where
    N: Network<Input = Chw<C, H, W>, Output = Flat<CLASSES>>,
    Chw<C, H, W>: Shape,
    Pictures<Subset<Arc<ImageFolder<CLASSES>>>, Chw<C, H, W>>: Dataset<Input = Chw<C, H, W>, Target = Class<CLASSES>>,
{
    let start = Instant::now();
    let folder = Arc::new(ImageFolder::<CLASSES>::open(&arguments.data)?);
    let parts = stratified_split(folder.labels(), [Part::Rest, Part::Fraction(0.2)], 1)?;
    let [learned, held_out] = parts.map(|part| Subset::new(Arc::clone(&folder), part));
    let pictures =
        |part, transforms: Transforms| Pictures::<_, Chw<C, H, W>>::new(part, transforms.normalize(normalize.clone()));
    let options = LoaderOptions::new(arguments.batch).workers(1);
    let mut training = Loader::new(pictures(learned, augmented)?, options.clone().shuffled().drop_last())?;
    let mut validation = Loader::new(pictures(held_out, plain)?, options)?;

    let mut network = N::new(1);
    let report = network.load_with(&arguments.weights, &Loading::new().strict(false))?;
    let lacks = |name: &&str| !name.starts_with("head.");
    if let Some(name) = report.missing().chain(report.of_another_shape()).find(lacks) {
        bail!("{}: has no {name} that fits, and all but the head has to: {report}", arguments.weights.display());
    }
    println!("{}", report.to_string().trim_end());
    if arguments.head > 0 {
        network.freeze_weights("")?;
        network.unfreeze_weights("head")?;
    }

    let steps = training.batches_per_epoch() as u64;
    let (head, all) = (arguments.head * steps, arguments.all * steps);
    let lr = 2e-3;
    let first = ConstantLr { lr, factor: 1.0, total_iters: 0 };
    let then = CosineAnnealingLr { lr: lr / 2.0, t_max: all.max(1), eta_min: 0.0 };
    let adam = Adam::<N>::new(AdamOptions::adamw(lr))?;
    let head_epochs = arguments.head;
    let mut trainer = Trainer::new(network, adam, 1).schedule(OneAfterTheOther { first, then, at: head }).on_epoch(
        move |epoch, network| {
            println!("epoch {}: loss {:.4}, held out: {}", epoch.number, epoch.loss, epoch.scores);
            if epoch.number == head_epochs && network.unfreeze_weights("").is_ok() {
                println!("from here on all of it learns");
            }
            ControlFlow::Continue(())
        },
    );
    // Statistics of pictures that are like those it has seen are good enough, and small batches have worse ones.
    let is_norm = |_: &str, step: &cnn_core::layer::Step| matches!(step.operation, Operation::BatchNorm2d { .. });
    trainer.training_mut().set_mode_where(Mode::Evaluation, is_norm);
    let criterion = OfClasses::new();
    trainer.fit(&mut training, &criterion, arguments.head + arguments.all, |net| {
        evaluate(net, &mut validation, &criterion, &mut [&mut Accuracy::default()])
    })?;
    trainer.into_network().save_safetensors(&arguments.save)?;
    println!("{:.1} s; weights saved to {}", start.elapsed().as_secs_f64(), arguments.save.display());
    Ok(())
}

/// A schedule for the head, and then one for all.
struct OneAfterTheOther {
    first: ConstantLr,
    then: CosineAnnealingLr,
    at: u64,
}

impl Schedule for OneAfterTheOther {
    fn lr(&self, step: u64) -> Result<f64, cnn_core::optim::InvalidOption> {
        let both: [(u64, &dyn Schedule); 2] = [(0, &self.first), (self.at, &self.then)];
        // There may be no step of the head alone.
        Sequential(if self.at == 0 { &both[1..] } else { &both }).lr(step)
    }
}

/// Writes some pictures of IDX files as PNG files, a folder for each class.
fn make(idx: &Path, folder: &Path) -> anyhow::Result<()> {
    const PICTURES: usize = 4000;
    let [images, labels] = ["images-idx3", "labels-idx1"].map(|content| {
        let raw = idx.join(format!("train-{content}-ubyte"));
        if raw.exists() { raw } else { idx.join(format!("train-{content}-ubyte.gz")) }
    });
    let pictures = LabelledImages::<CLASSES>::read_idx(images, labels)?;
    ensure!(pictures.len() >= PICTURES, "{}: fewer than {PICTURES} pictures", idx.display());
    let (height, width) = (pictures.images().height(), pictures.images().width());
    // It is there when all of it is.
    let unfinished = folder.with_extension("unfinished");
    for index in 0..PICTURES {
        let class = unfinished.join(pictures.label(index).to_string());
        fs::create_dir_all(&class)?;
        let grey = png::ColorType::Grayscale;
        output::write_png(&class.join(format!("{index}.png")), [width, height], grey, &pictures.images()[index])?;
    }
    fs::rename(&unfinished, folder)?;
    println!("{PICTURES} pictures in {}", folder.display());
    Ok(())
}

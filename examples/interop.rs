//! Runs a network of the gallery on tensors from a file and writes what comes out, to be compared with other libraries.
//!
//! ```text
//! interop lenet5 forward  --weights W.pth         --input X.safetensors --output Y.safetensors
//! interop lenet5 gradient --weights W.safetensors --input X.safetensors --output Y.safetensors [--train]
//! interop lenet5 steps
//! ```
//!
//! X holds `input` (f32, N x C x H x W) and for `gradient` also `labels` (i64, N, or N x H x W of a network that tells
//! pixels apart), or of a network that tells no classes apart `targets` (f32). Y gets `output`, in which several outputs of a
//! sample lie one behind the other, and for `gradient` also `loss`, the mean cross-entropy or squared error, and
//! `gradient.<name>` for every parameter. In training mode it gets, too, what the step did that a gradient does not tell: `state.<name>`, the running
//! statistics after it, and `kept.<name>` for every random layer, 1 where it kept a value and 0 where it dropped one. `steps`
//! prints a line for each step: its name, its layer, and the sizes of its map. Names and layouts are PyTorch's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, Parser, Subcommand};
use cnn_core::layer::{Operation, Step};
use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose};
use cnn_core::shape::{Shape, Sizes};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

pub mod networks;

use networks::{Name, Truth, Visitor};

#[derive(Parser)]
struct Arguments {
    network: Name,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Output in evaluation mode
    Forward(Files),
    /// Output, loss, and the gradient of every parameter
    Gradient {
        #[command(flatten)]
        files: Files,
        /// In training mode: with dropout, and with the statistics of the batch; otherwise in evaluation mode
        #[arg(long)]
        train: bool,
    },
    /// Names and sizes of the maps
    Steps,
}

#[derive(Args)]
struct Files {
    /// The network's weights
    #[arg(long)]
    weights: PathBuf,
    /// Input, and labels or targets for the gradient
    #[arg(long)]
    input: PathBuf,
    /// The file to write
    #[arg(long)]
    output: PathBuf,
}

fn main() {
    let Arguments { network, task } = Arguments::parse();
    if let Err(error) = network.visit(&task) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

/// A tensor to be written: name, sizes, values.
type Tensor = (String, Vec<usize>, Vec<f32>);

impl Visitor for &Task {
    type Output = anyhow::Result<()>;

    fn visit<N: Network, T: Truth<N::Output>>(self) -> anyhow::Result<()> {
        match self {
            Task::Forward(files) => {
                let network = load::<N>(files)?;
                let input = files.read(input)?;
                write(&files.output, &[output(&network.forward(&input))])
            }
            Task::Gradient { files, train } => {
                let network = load::<N>(files)?;
                let (input, truth) = files.read(|file| Ok((input(file)?, truth::<_, T>(file)?)))?;
                let mode = if *train { Mode::Training } else { Mode::Evaluation };
                write(&files.output, &gradient(network, mode, &input, &truth.loss())?)
            }
            Task::Steps => {
                for step in N::STEPS {
                    println!("{}\t{}\t{:?}", step.path, step.layer, sizes(step.output));
                }
                Ok(())
            }
        }
    }
}

fn load<N: Network>(files: &Files) -> Result<N, Error> {
    let mut network = N::new(0);
    network.load(&files.weights)?;
    Ok(network)
}

/// Of the run that is compared.
const SEED: u64 = 0;

fn gradient<N: Network>(
    mut network: N,
    mode: Mode,
    input: &Batch<N::Input>,
    loss: &impl Loss<N::Output>,
) -> Result<Vec<Tensor>, Error> {
    let mut training = Training::new(SEED);
    let loss = training.backward(mode, &mut network, input, loss)?;
    let mut tensors = vec![output(training.output()), ("loss".into(), vec![], vec![loss])];
    let mut trained = Vec::new();
    for tensor in training.gradients().tensors() {
        let values = tensor.to_pytorch();
        tensors.push((format!("gradient.{}", tensor.name), tensor.parameter.sizes().to_vec(), values));
        trained.push(tensor.name);
    }
    if mode == Mode::Training {
        for tensor in network.weights().tensors().filter(|tensor| !trained.contains(&tensor.name)) {
            let (name, sizes) = (format!("state.{}", tensor.name), tensor.parameter.sizes().to_vec());
            tensors.push((name, sizes, tensor.to_pytorch()));
        }
        tensors.extend((0..N::STEPS.len()).filter_map(|index| kept::<N>(index, input.len())));
    }
    Ok(tensors)
}

/// What a random layer kept in the first step of the run. It draws by the place of its step in the network.
fn kept<N: Network>(index: usize, samples: usize) -> Option<Tensor> {
    let step = &N::STEPS[index];
    let (p, of_sample) = match step.operation {
        Operation::Dropout { p } => (p, sizes(step.output)),
        // All of a sample, or nothing.
        Operation::DropPath { p } => (p, vec![1; sizes(step.output).len()]),
        _ => return None,
    };
    let len = of_sample.iter().product();
    // Features that a linear layer gets lie as the map did that they were.
    let linear = |step: &Step| match step.operation {
        Operation::Linear { channels, .. } => Some(channels),
        _ => None,
    };
    let channels = match of_sample[..] {
        [channels, _, _] => channels,
        _ => N::STEPS[index..].iter().find_map(linear).unwrap_or(1),
    };
    let mut values = Vec::new();
    for sample in 0..samples {
        let key = Key { purpose: Purpose::Dropout, seed: SEED, step: 0, layer: index as u64, sample: sample as u64 };
        let mut keep = vec![false; len];
        key.stream().fill_keep_mask(p, &mut keep);
        let pixels = keep.chunks_exact(channels);
        for channel in 0..channels {
            values.extend(pixels.clone().map(|pixel| f32::from(pixel[channel])));
        }
    }
    Some((format!("kept.{}", step.path), [vec![samples], of_sample].concat(), values))
}

impl Files {
    /// Something of the input file.
    fn read<T>(&self, what: impl FnOnce(&SafeTensors<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let read = || what(&SafeTensors::deserialize(&fs::read(&self.input)?)?);
        read().with_context(|| self.input.display().to_string())
    }
}

fn input<S: Shape>(file: &SafeTensors<'_>) -> anyhow::Result<Batch<S>> {
    let (shape, bytes) = tensor(file, "input", Dtype::F32)?;
    let expected = sizes(S::SIZES);
    let fits = shape.len() == 1 + expected.len() && shape[1..] == expected;
    ensure!(fits, "tensor input: expected {expected:?} for each sample, found {shape:?}");
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    Ok(Batch::from_nchw(&values)?)
}

fn truth<S: Shape, T: Truth<S>>(file: &SafeTensors<'_>) -> anyhow::Result<T> {
    let (_, bytes) = tensor(file, T::NAME, T::DTYPE)?;
    Ok(T::read(bytes)?)
}

/// Sizes and bytes of a tensor of this name and type.
fn tensor<'a>(file: &SafeTensors<'a>, name: &str, dtype: Dtype) -> anyhow::Result<(Vec<usize>, &'a [u8])> {
    let tensor = file.tensor(name)?;
    ensure!(tensor.dtype() == dtype, "tensor {name}: expected {dtype:?}, found {:?}", tensor.dtype());
    Ok((tensor.shape().to_vec(), tensor.data()))
}

fn output<S: Shape>(batch: &Batch<S>) -> Tensor {
    ("output".into(), batch_sizes(batch.len(), S::SIZES), batch.to_nchw())
}

fn batch_sizes(samples: usize, of_sample: Sizes) -> Vec<usize> {
    [vec![samples], sizes(of_sample)].concat()
}

fn sizes(sizes: Sizes) -> Vec<usize> {
    match sizes {
        Sizes::Map { channels, height, width } => vec![channels, height, width],
        Sizes::Flat { features } => vec![features],
    }
}

fn write(path: &Path, tensors: &[Tensor]) -> anyhow::Result<()> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, sizes, _), bytes)| Ok((name, TensorView::new(Dtype::F32, sizes.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    fs::write(path, safetensors::serialize(views, None)?).with_context(|| path.display().to_string())
}

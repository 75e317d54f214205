//! Runs a network of the gallery on tensors from a file and writes what comes out, to be compared with other libraries.
//!
//! ```text
//! interop lenet5 forward  --weights W.safetensors --input X.safetensors --output Y.safetensors
//! interop lenet5 gradient --weights W.safetensors --input X.safetensors --output Y.safetensors [--train]
//! ```
//!
//! X holds `input` (f32, N x C x H x W) and for `gradient` also `labels` (i64, N). Y gets `output`, and for `gradient`
//! also `loss`, the mean cross-entropy, and `gradient.<name>` for every parameter. Names and layouts are PyTorch's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use cnn_core::prelude::*;
use cnn_core::shape::{Shape, Sizes};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

pub mod networks;

use networks::{LeNet5, Name, VggCifar};

#[derive(Parser)]
struct Arguments {
    network: Name,
    task: Task,
    /// The network's weights
    #[arg(long)]
    weights: PathBuf,
    /// Input, and labels for the gradient
    #[arg(long)]
    input: PathBuf,
    /// The file to write
    #[arg(long)]
    output: PathBuf,
    /// Gradient in training mode, with dropout; otherwise in evaluation mode
    #[arg(long)]
    train: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Task {
    /// Output in evaluation mode
    Forward,
    /// Output, loss, and the gradient of every parameter
    Gradient,
}

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.network {
        Name::LeNet5 => compute::<LeNet5>(arguments),
        Name::VggCifar => compute::<VggCifar>(arguments),
    }
}

/// A tensor to be written: name, sizes, values.
type Tensor = (String, Vec<usize>, Vec<f32>);

fn compute<N: Network<Output = Flat<10>>>(arguments: &Arguments) -> anyhow::Result<()> {
    let mut network = N::new(0);
    network.load_safetensors(&arguments.weights)?;
    let path = &arguments.input;
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let file = SafeTensors::deserialize(&bytes).with_context(|| path.display().to_string())?;
    let input = input::<N::Input>(&file).with_context(|| path.display().to_string())?;

    let mut tensors = Vec::new();
    match arguments.task {
        Task::Forward => tensors.push(output(&network.forward(&input))),
        Task::Gradient => {
            let labels = labels(&file).with_context(|| path.display().to_string())?;
            let mode = if arguments.train { Mode::Training } else { Mode::Evaluation };
            let mut training = Training::new(0);
            let loss = training.backward(mode, &mut network, &input, &CrossEntropy::new(&labels))?;
            tensors.push(output(training.output()));
            tensors.push(("loss".into(), vec![], vec![loss]));
            tensors.extend(training.gradients().tensors().map(|tensor| {
                let sizes = tensor.parameter.sizes().to_vec();
                (format!("gradient.{}", tensor.name), sizes, tensor.to_pytorch())
            }));
        }
    }
    write(&arguments.output, &tensors)
}

fn input<S: Shape>(file: &SafeTensors<'_>) -> anyhow::Result<Batch<S>> {
    let (shape, bytes) = tensor(file, "input", Dtype::F32)?;
    let expected = sizes_of::<S>();
    let fits = shape.len() == 1 + expected.len() && shape[1..] == expected;
    ensure!(fits, "tensor input: expected {expected:?} for each sample, found {shape:?}");
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    Ok(Batch::from_nchw(&values)?)
}

fn labels(file: &SafeTensors<'_>) -> anyhow::Result<Labels<10>> {
    let (_, bytes) = tensor(file, "labels", Dtype::I64)?;
    let values: Vec<i64> = bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
    Ok(Labels::new(&values)?)
}

/// Sizes and bytes of a tensor of this name and type.
fn tensor<'a>(file: &SafeTensors<'a>, name: &str, dtype: Dtype) -> anyhow::Result<(Vec<usize>, &'a [u8])> {
    let tensor = file.tensor(name)?;
    ensure!(tensor.dtype() == dtype, "tensor {name}: expected {dtype:?}, found {:?}", tensor.dtype());
    Ok((tensor.shape().to_vec(), tensor.data()))
}

fn output<S: Shape>(batch: &Batch<S>) -> Tensor {
    let mut sizes = vec![batch.len()];
    sizes.extend(sizes_of::<S>());
    ("output".into(), sizes, batch.to_nchw())
}

fn sizes_of<S: Shape>() -> Vec<usize> {
    match S::SIZES {
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

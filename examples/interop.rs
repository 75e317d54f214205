//! Runs a network of the gallery on tensors from a file and writes what comes out, to be compared with other libraries.
//!
//! ```text
//! interop lenet5 forward  --weights W.safetensors --input X.safetensors --output Y.safetensors
//! interop lenet5 gradient --weights W.safetensors --input X.safetensors --output Y.safetensors [--train]
//! ```
//!
//! X holds `input` (f32, N x C x H x W) and for `gradient` also `labels` (i64, N). Y gets `output`, and for `gradient`
//! also `loss`, the mean cross-entropy, and `gradient.<name>` for every parameter. Names and layouts are PyTorch's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

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

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    match arguments.network {
        Name::LeNet5 => run::<LeNet5>(&arguments),
        Name::VggCifar => run::<VggCifar>(&arguments),
    }
}

/// A tensor to be written: name, sizes, values.
type Tensor = (String, Vec<usize>, Vec<f32>);

fn run<N: Network<Output = Flat<10>>>(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut network = N::new(0);
    network.load_safetensors(&arguments.weights)?;
    let path = &arguments.input;
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let input = input::<N::Input>(path, &file)?;

    let mut tensors = Vec::new();
    match arguments.task {
        Task::Forward => tensors.push(output(&network.forward(&input))),
        Task::Gradient => {
            let labels = labels(path, &file)?;
            let mode = if arguments.train { Mode::Training } else { Mode::Evaluation };
            let mut training = Training::new(0);
            let loss = training.backward(mode, &network, &input, &CrossEntropy::new(&labels))?;
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

fn input<S: Shape>(path: &Path, file: &SafeTensors<'_>) -> Result<Batch<S>, Box<dyn Error>> {
    let (shape, bytes) = tensor(path, file, "input", Dtype::F32)?;
    let expected = sizes_of::<S>();
    if shape.is_empty() || shape[1..] != expected {
        let message = format!("{}: tensor input: expected [N, {expected:?}], found {shape:?}", path.display());
        return Err(message.into());
    }
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    Ok(Batch::from_nchw(&values)?)
}

fn labels(path: &Path, file: &SafeTensors<'_>) -> Result<Labels<10>, Box<dyn Error>> {
    let (_, bytes) = tensor(path, file, "labels", Dtype::I64)?;
    let values: Vec<i64> = bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
    Ok(Labels::new(&values)?)
}

/// Sizes and bytes of a tensor of this name and type.
fn tensor<'a>(
    path: &Path,
    file: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
) -> Result<(Vec<usize>, &'a [u8]), Box<dyn Error>> {
    let tensor = file.tensor(name).map_err(|error| format!("{}: {error}", path.display()))?;
    if tensor.dtype() != dtype {
        let found = tensor.dtype();
        return Err(format!("{}: tensor {name}: expected {dtype:?}, found {found:?}", path.display()).into());
    }
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

fn write(path: &Path, tensors: &[Tensor]) -> Result<(), Box<dyn Error>> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, sizes, _), bytes)| Ok((name, TensorView::new(Dtype::F32, sizes.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let contents = safetensors::serialize(views, None)?;
    fs::write(path, contents).map_err(|error| format!("{}: {error}", path.display()).into())
}

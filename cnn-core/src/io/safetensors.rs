//! safetensors files with PyTorch's names and layouts. <https://github.com/huggingface/safetensors>

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use ::safetensors::SafeTensorError;
use ::safetensors::tensor::{Dtype, SafeTensors, TensorView, View};

use super::half;
use crate::Error;
use crate::error::WeightsProblem;
use crate::layer::{Order, Parameter};
use crate::network::{Network, Weights, places};

/// Takes from a file what fits the network, and says what does not.
pub(crate) fn load<N: Network>(path: &Path, weights: &mut Weights<N>) -> Result<Vec<WeightsProblem>, Error> {
    let bytes = fs::read(path).map_err(|error| Error::Io { path: path.to_owned(), error })?;
    read(&bytes, weights).map_err(|problem| Error::Weights { path: path.to_owned(), problems: vec![problem] })
}

fn read<N: Network>(bytes: &[u8], weights: &mut Weights<N>) -> Result<Vec<WeightsProblem>, WeightsProblem> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| WeightsProblem::Format(what_else(bytes, error)))?;
    let expected = places(N::STEPS);
    let expected_names: HashSet<&str> = expected.iter().map(|(name, ..)| name.as_str()).collect();
    let found_names: HashSet<&str> = file.names().into_iter().collect();
    let unclaimed: Vec<&str> = found_names.difference(&expected_names).copied().collect();
    let unmet: Vec<&str> = expected_names.difference(&found_names).copied().collect();

    let mut problems = Vec::new();
    for (name, parameter, home) in &expected {
        let Ok(tensor) = file.tensor(name) else {
            problems.push(WeightsProblem::Missing {
                name: name.clone(),
                expected: parameter.sizes().to_vec(),
                nearest: nearest(name, &unclaimed),
            });
            continue;
        };
        match decode(name, parameter, &tensor) {
            Ok(values) => parameter.import(&values, weights.at_mut(home)),
            Err(problem) => problems.push(problem),
        }
    }
    let mut extra: Vec<&str> = unclaimed.clone();
    extra.sort_unstable();
    problems.extend(
        extra.into_iter().map(|name| WeightsProblem::Extra { name: name.to_owned(), nearest: nearest(name, &unmet) }),
    );
    Ok(problems)
}

/// What a file is that is none of ours: most of those are PyTorch's own, an archive or, before version 1.6, a pickle.
fn what_else(bytes: &[u8], error: SafeTensorError) -> String {
    match bytes {
        [b'P', b'K', 3, 4, ..] | [0x80, 2, 0x8a, 10, ..] => {
            "it looks like one of torch.save; write it with safetensors.torch.save_file(model.state_dict(), ..)"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

/// A tensor's values in PyTorch's order, if they are what the network's are.
fn decode(name: &str, parameter: &Parameter, tensor: &TensorView<'_>) -> Result<Vec<f32>, WeightsProblem> {
    let name = name.to_owned();
    let expected = dtype(parameter);
    let halves = expected == Dtype::F32 && matches!(tensor.dtype(), Dtype::F16 | Dtype::BF16);
    if tensor.dtype() != expected && !halves {
        return Err(WeightsProblem::Type { name, expected: expected.to_string(), found: tensor.dtype().to_string() });
    }
    if tensor.shape() != parameter.sizes() {
        let (expected, found) = (parameter.sizes().to_vec(), tensor.shape().to_vec());
        return Err(WeightsProblem::Shape { name, expected, found });
    }
    if parameter.order == Order::Count {
        let (counts, _) = tensor.data().as_chunks();
        let count = counts.first().map_or(0, |&bytes| i64::from_le_bytes(bytes));
        let count = u32::try_from(count).map_err(|_| WeightsProblem::Count { name, value: count })?;
        return Ok(vec![f32::from_bits(count)]);
    }
    let values: Vec<f32> = if halves {
        let (numbers, _) = tensor.data().as_chunks();
        let widen = if tensor.dtype() == Dtype::F16 { half::f16_to_f32 } else { half::bf16_to_f32 };
        numbers.iter().map(|&bytes| widen(u16::from_le_bytes(bytes))).collect()
    } else {
        let (numbers, _) = tensor.data().as_chunks();
        numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    };
    non_finite(&name, &values).map_or(Ok(values), Err)
}

/// The first value that is infinite or not a number: no file that has one is read or written.
fn non_finite(name: &str, values: &[f32]) -> Option<WeightsProblem> {
    let index = values.iter().position(|value| !value.is_finite())?;
    Some(WeightsProblem::NonFinite { name: name.to_owned(), index, value: values[index] })
}

fn dtype(parameter: &Parameter) -> Dtype {
    if parameter.order == Order::Count { Dtype::I64 } else { Dtype::F32 }
}

/// The names that a few edits make of this one, at most two, the nearest first.
fn nearest(name: &str, names: &[&str]) -> Vec<String> {
    let mut near: Vec<_> = names.iter().map(|other| (edits(name, other), *other)).collect();
    near.retain(|(edits, _)| *edits <= name.len() / 3);
    near.sort_unstable();
    near.into_iter().take(2).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein's distance.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// A tensor's bytes as the file keeps them.
struct Bytes {
    dtype: Dtype,
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Bytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.sizes
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes a file beside, syncs it, and gives it its name.
pub(crate) fn save<N: Network>(weights: &Weights<N>, path: &Path) -> Result<(), Error> {
    let mut problems = Vec::new();
    let tensors: Vec<(String, Bytes)> = weights
        .tensors()
        .map(|tensor| {
            let values = tensor.to_pytorch();
            let bytes = match tensor.parameter.order {
                Order::Count => i64::from(values[0].to_bits()).to_le_bytes().to_vec(),
                _ => {
                    problems.extend(non_finite(&tensor.name, &values));
                    values.into_iter().flat_map(f32::to_le_bytes).collect()
                }
            };
            let (dtype, sizes) = (dtype(&tensor.parameter), tensor.parameter.sizes().to_vec());
            (tensor.name, Bytes { dtype, sizes, bytes })
        })
        .collect();
    if !problems.is_empty() {
        return Err(Error::Weights { path: path.to_owned(), problems });
    }
    let views = tensors.iter().map(|(name, bytes)| (name, bytes));
    let contents = ::safetensors::serialize(views, None).expect("names differ and sizes match their bytes");
    replace(path, &contents).map_err(|error| Error::Io { path: path.to_owned(), error })
}

fn replace(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let beside = beside(path);
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Whatever was begun is of no use to anyone; that it cannot be removed is not the error to tell of.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

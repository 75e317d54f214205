//! Files of weights: what is written is read, and whatever else a file holds is an error that leaves the network as it was.

use std::fs;
use std::path::PathBuf;

use cnn_core::error::WeightsProblem;
use cnn_core::prelude::*;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

network! {
    /// A convolution and a linear layer, whose weights are kept in another order than PyTorch's.
    pub Net<2, 4, 4> { conv: conv2d<3, 3>, relu, flatten, fc: linear<5>(bias = false) }

    /// The same behind a name.
    pub Prefixed<2, 4, 4> { body: [conv: conv2d<3, 3>, relu, flatten], fc: linear<5>(bias = false) }
}

/// A path of this test's own.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.safetensors", std::process::id()))
}

/// The tensors that `Net` wants, in PyTorch's order: counting values.
fn tensors() -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
    let counting = |from: usize, count: usize| (from..from + count).map(|value| value as f32).collect();
    vec![
        ("conv.bias", vec![3], counting(900, 3)),
        ("conv.weight", vec![3, 2, 3, 3], counting(0, 54)),
        ("fc.weight", vec![5, 12], counting(100, 60)),
    ]
}

fn serialize(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(.., values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, sizes, _), bytes)| (*name, TensorView::new(Dtype::F32, sizes.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// What loading these bytes says; the network must be as it was.
fn problems(name: &str, bytes: &[u8]) -> (String, Vec<WeightsProblem>) {
    let path = path(name);
    fs::write(&path, bytes).unwrap();
    let mut net = Net::new(1);
    let error = net.load_safetensors(&path).unwrap_err();
    assert_eq!(net.weights(), Net::new(1).weights());
    fs::remove_file(&path).unwrap();
    let text = error.to_string().replace(path.to_str().unwrap(), "FILE");
    match error {
        Error::Weights { problems, .. } => (text, problems),
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_of_pytorch_is_read_and_written_as_it_was() {
    let (from, to) = (path("read"), path("written"));
    fs::write(&from, serialize(&tensors())).unwrap();
    let mut net = Net::new(0);
    net.load_safetensors(&from).unwrap();
    let found: Vec<_> = net
        .weights()
        .tensors()
        .map(|tensor| (tensor.name.clone(), tensor.parameter.sizes().to_vec(), tensor.to_pytorch()))
        .collect();
    for (name, sizes, values) in tensors() {
        assert!(found.contains(&(name.to_owned(), sizes, values)), "{name}");
    }
    // Pixel (1, 0) of channel 2 is feature 2 * 4 + 2 of the flattened map, and the third pixel in memory.
    assert_eq!(net.weights().values()[57 + (2 * 3 + 2) * 5 + 4], 100.0 + 4.0 * 12.0 + 10.0);

    net.save_safetensors(&to).unwrap();
    let (read, written) = (fs::read(&from).unwrap(), fs::read(&to).unwrap());
    let (read, written) = (
        safetensors::SafeTensors::deserialize(&read).unwrap(),
        safetensors::SafeTensors::deserialize(&written).unwrap(),
    );
    assert_eq!(read.len(), written.len());
    for (name, tensor) in read.tensors() {
        assert_eq!(tensor, written.tensor(&name).unwrap(), "{name}");
    }
    fs::remove_file(from).unwrap();
    fs::remove_file(to).unwrap();
}

#[test]
fn a_labelled_sequence_is_a_prefix() {
    let names: Vec<_> = Prefixed::new(0).weights().tensors().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["body.conv.weight", "body.conv.bias", "fc.weight"]);
}

#[test]
fn missing_and_extra_tensors_are_named_with_the_nearest() {
    let mut named = tensors();
    named[1].0 = "conv1.weight";
    let (text, _) = problems("names", &serialize(&named));
    assert_eq!(
        text,
        "FILE: tensor conv.weight is missing: expected [3, 2, 3, 3]; did you mean conv1.weight?\n  \
         tensor conv1.weight is not in the network; did you mean conv.weight?"
    );
}

#[test]
fn another_shape_is_named_with_both() {
    let mut named = tensors();
    named[1].1 = vec![3, 3, 3, 2];
    let (text, _) = problems("shape", &serialize(&named));
    assert_eq!(text, "FILE: tensor conv.weight: expected [3, 2, 3, 3], found [3, 3, 3, 2]");
}

#[test]
fn numbers_that_are_none_are_found() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut named = tensors();
        named[2].2[7] = value;
        let (text, _) = problems("finite", &serialize(&named));
        assert_eq!(text, format!("FILE: tensor fc.weight: value 7 is {value}"));
    }
}

#[test]
fn other_types_of_numbers_are_named() {
    let named = tensors();
    let bytes: Vec<Vec<u8>> = named
        .iter()
        .map(|(.., values)| values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect())
        .collect();
    let views = named
        .iter()
        .zip(&bytes)
        .map(|((name, sizes, _), bytes)| (*name, TensorView::new(Dtype::F64, sizes.clone(), bytes).unwrap()));
    let (_, problems) = problems("type", &safetensors::serialize(views, None).unwrap());
    assert_eq!(problems.len(), 3);
    assert_eq!(problems[0].to_string(), "tensor conv.weight: expected F32, found F64");
}

#[test]
fn all_problems_are_told_at_once() {
    let mut named = tensors();
    named[0].0 = "cnov.bias";
    named[1].1 = vec![54];
    named[2].2[0] = f32::NAN;
    let (_, problems) = problems("all", &serialize(&named));
    assert_eq!(problems.len(), 4);
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = serialize(&tensors());
    for length in (0..bytes.len()).step_by(7) {
        problems("truncated", &bytes[..length]);
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    let mut bytes = serialize(&tensors());
    bytes.extend([0; 4]);
    problems("longer", &bytes);
}

#[test]
fn a_missing_file_is_named() {
    let path = path("missing");
    let error = Net::new(0).load_safetensors(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path: found, .. } if *found == path));
    assert!(error.to_string().starts_with(path.to_str().unwrap()));
}

#[test]
fn a_file_that_cannot_be_written_is_left_alone_and_nothing_is_left_behind() {
    let folder = path("folder").with_extension("");
    fs::create_dir_all(folder.join("weights.safetensors")).unwrap();
    // A folder stands where the file should: the last step, giving the file its name, fails.
    let error = Net::new(0).save_safetensors(folder.join("weights.safetensors")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }));
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["weights.safetensors"]);
    fs::remove_dir_all(folder).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        problems("random", &bytes);
    }

    #[test]
    fn a_flipped_byte_is_an_error_or_another_number(index in 0..600_usize, flip in 1..=255_u8) {
        let path = path("flipped");
        let mut bytes = serialize(&tensors());
        let index = index % bytes.len();
        bytes[index] ^= flip;
        fs::write(&path, &bytes).unwrap();
        let mut net = Net::new(1);
        if net.load_safetensors(&path).is_err() {
            prop_assert!(net.weights() == Net::new(1).weights());
        } else {
            prop_assert!(net.weights().values().iter().all(|value| value.is_finite()));
        }
    }
}

//! Files of weights: what is written is read, and whatever else a file holds is an error that leaves the network as it was.

use std::fs;
use std::path::PathBuf;

use cnn_core::error::WeightsProblem;
use cnn_core::io::Loading;
use cnn_core::prelude::*;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

network! {
    /// A convolution and a linear layer, whose weights are kept in another order than PyTorch's.
    pub Net<2, 4, 4> { conv: conv2d<3, 3>, relu, flatten, fc: linear<5>(bias = false) }

    /// Running statistics, which no optimizer sees.
    pub Normal<2, 4, 4> { conv: conv2d<3, 3>(bias = false), bn: batch_norm2d, relu, flatten, fc: linear<5> }

    /// Two groups of a transposed convolution.
    pub Up<4, 2, 1> { up: conv_transpose2d<6, (2, 3)>(stride = (2, 1), groups = 2) }

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
    let mut named = tensors();
    named[2].2[7] = f32::NAN;
    let (text, _) = problems("nan", &serialize(&named));
    assert_eq!(text, "FILE: tensor fc.weight: value 7 is NaN");
}

#[test]
fn numbers_that_are_none_are_not_saved() {
    let path = path("unsaved");
    Net::new(1).save_safetensors(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let mut net = Net::new(2);
    let last = net.weights().values().len() - 1;
    net.weights_mut().values_mut()[last] = f32::NAN;
    let text = net.save_safetensors(&path).unwrap_err().to_string();
    assert!(text.contains("tensor fc.weight: value 59 is NaN"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before, "the file is kept");
    fs::remove_file(&path).unwrap();
}

#[test]
fn other_types_of_numbers_are_named() {
    let named = tensors();
    let bytes: Vec<Vec<u8>> = named
        .iter()
        .map(|(.., values)| values.iter().flat_map(|&value| (value as i32).to_le_bytes()).collect())
        .collect();
    let views = named
        .iter()
        .zip(&bytes)
        .map(|((name, sizes, _), bytes)| (*name, TensorView::new(Dtype::I32, sizes.clone(), bytes).unwrap()));
    let (_, problems) = problems("type", &safetensors::serialize(views, None).unwrap());
    assert_eq!(problems.len(), 3);
    assert_eq!(problems[0].to_string(), "tensor conv.weight: expected F32, found I32");
}

#[test]
fn halves_are_widened() {
    for dtype in [Dtype::F16, Dtype::BF16] {
        let narrow = |value: f32| match dtype {
            Dtype::BF16 => (value.to_bits() >> 16) as u16,
            _ if value == 0.0 => 0,
            // Exact for whole numbers up to 2048: the exponent moves from f32's bias to f16's, the fraction loses zeros.
            _ => ((value.to_bits() >> 13) - (112 << 10)) as u16,
        };
        let mut named = tensors();
        // What 8 bits of a fraction hold.
        named.iter_mut().flat_map(|(.., values)| values).for_each(|value| *value %= 256.0);
        let bytes: Vec<Vec<u8>> = named
            .iter()
            .map(|(.., values)| values.iter().flat_map(|&value| narrow(value).to_le_bytes()).collect())
            .collect();
        let views = named
            .iter()
            .zip(&bytes)
            .map(|((name, sizes, _), bytes)| (*name, TensorView::new(dtype, sizes.clone(), bytes).unwrap()));
        let path = path(&format!("{dtype}"));
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        let mut net = Net::new(0);
        net.load_safetensors(&path).unwrap();
        for tensor in net.weights().tensors() {
            let (.., expected) = named.iter().find(|(name, ..)| *name == tensor.name).unwrap();
            assert_eq!(tensor.to_pytorch(), *expected, "{dtype} {}", tensor.name);
        }
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_lenient_reader_takes_what_fits_and_tells_of_the_rest() {
    let mut named = tensors();
    named[0].0 = "conv.baas";
    named[2].1 = vec![12, 5];
    let path = path("lenient");
    fs::write(&path, serialize(&named)).unwrap();
    let mut net = Net::new(1);
    let report = net.load_with(&path, &Loading::new().strict(false)).unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.missing().collect::<Vec<_>>(), ["conv.bias"]);
    assert_eq!(report.extra().collect::<Vec<_>>(), ["conv.baas"]);
    assert_eq!(report.of_another_shape().collect::<Vec<_>>(), ["fc.weight"]);
    assert_eq!(report.to_string().lines().count(), 3);
    let before = Net::new(1);
    for (found, before) in net.weights().tensors().zip(before.weights().tensors()) {
        let taken = found.name == "conv.weight";
        let expected = if taken { named[1].2.clone() } else { before.to_pytorch() };
        assert_eq!(found.to_pytorch(), expected, "{}", found.name);
    }

    fs::write(&path, b"nothing of the kind").unwrap();
    assert!(net.load_with(&path, &Loading::new().strict(false)).is_err());
    fs::remove_file(path).unwrap();
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
fn a_file_of_torch_save_is_told_from_others() {
    for start in [b"PK\x03\x04\0\0\x08\x08\0\0\0\0".as_slice(), b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."] {
        let (text, _) = problems("pth", start);
        assert!(text.ends_with("it looks like one of torch.save, which `load` reads"), "{text}");
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
    // The message has the cause, and a chain of causes does not say it twice.
    let Error::Io { error: cause, .. } = &error else { unreachable!("it is checked above") };
    assert!(std::error::Error::source(&error).is_none() && error.to_string().ends_with(&cause.to_string()));
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
            prop_assert!(net.weights().values().iter().all(|value| !value.is_nan()));
        }
    }
}

#[test]
fn running_statistics_and_their_count_are_kept() -> Result<(), Error> {
    let mut net = Normal::new(0);
    let input = Batch::from_nchw(&(0..64).map(|i| (i * 37 % 19) as f32).collect::<Vec<_>>())?;
    let labels = Labels::new(&[1, 2])?;
    let mut training = Training::new(0);
    for _ in 0..3 {
        training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels))?;
    }
    training.backward(Mode::Evaluation, &mut net, &input, &CrossEntropy::new(&labels))?;

    let path = path("statistics");
    net.save_safetensors(&path)?;
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let expected = [
        "bn.bias",
        "bn.num_batches_tracked",
        "bn.running_mean",
        "bn.running_var",
        "bn.weight",
        "conv.weight",
        "fc.bias",
        "fc.weight",
    ];
    assert_eq!(names, expected);
    let count = file.tensor("bn.num_batches_tracked").unwrap();
    assert_eq!((count.dtype(), count.shape(), count.data()), (Dtype::I64, &[][..], &3_i64.to_le_bytes()[..]));

    let mut read = Normal::new(1);
    read.load_safetensors(&path)?;
    assert_eq!(read.weights(), net.weights());
    assert_eq!((read.weights().counts(), net.weights().counts()), (&[3][..], &[3][..]));
    assert_eq!(read.forward(&input), net.forward(&input));
    fs::remove_file(&path).unwrap();
    Ok(())
}

/// PyTorch keeps `[in, out / groups, kh, kw]`, and each value of the input spreads over its window.
#[test]
fn a_transposed_convolution_has_pytorchs_order() -> Result<(), Error> {
    let weight: Vec<f32> = (0..4 * 3 * 2 * 3).map(|i| (i * 29 % 17) as f32).collect();
    let bias: Vec<f32> = (0..6).map(|i| i as f32).collect();
    let path = path("transposed");
    let tensors = [("up.weight", vec![4, 3, 2, 3], weight.clone()), ("up.bias", vec![6], bias.clone())];
    fs::write(&path, serialize(&tensors)).unwrap();
    let mut net = Up::new(0);
    net.load_safetensors(&path)?;
    fs::remove_file(&path).unwrap();

    let input: Vec<f32> = (0..8).map(|i| (i * 5 % 7) as f32).collect();
    let mut expected: Vec<f32> = bias.iter().flat_map(|bias| [*bias; 4 * 3]).collect();
    for i in 0..4 {
        for row in 0..2 {
            for o in 0..3 {
                for kh in 0..2 {
                    for kw in 0..3 {
                        let out = (i / 2 * 3 + o) * 12 + (2 * row + kh) * 3 + kw;
                        expected[out] += input[i * 2 + row] * weight[((i * 3 + o) * 2 + kh) * 3 + kw];
                    }
                }
            }
        }
    }
    assert_eq!(net.forward(&Batch::from_nchw(&input)?).to_nchw(), expected);
    Ok(())
}

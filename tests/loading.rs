//! What PyTorch loads is loaded: types of numbers, infinities, counts of batch norms, names behind a prefix.

use std::fs;
use std::path::PathBuf;

use cnn_core::error::WeightsProblem;
use cnn_core::io::Loading;
use cnn_core::layer::{Initial, Owned, Parameter, Pass};
use cnn_core::prelude::*;
use cnn_core::tensor::{Samples, SamplesMut};
use safetensors::tensor::{Dtype, TensorView};

network! {
    /// A normalization, whose count no optimizer sees.
    pub Net<1, 2, 2> { conv: conv2d<2, 1>(bias = false), bn: batch_norm2d, flatten, fc: linear<3> }

    /// A few hundred names.
    pub Deep<1, 1, 1> { body: repeat<150> [[conv: conv2d<1, 1>, bn: batch_norm2d(affine = false)]], flatten, fc: linear<2> }
}

/// A user's layer that counts the batches of training.
#[derive(Debug)]
pub struct Counter;

impl<const F: usize> Layer<Flat<F>> for Counter {
    type Output = Flat<F>;
    const STATE: &'static [Parameter] = &[
        Parameter::count("batches"),
        Parameter::vector("last", F, Initial::Constant(0.5)),
        Parameter::count("samples"),
    ];

    fn forward(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, Flat<F>>,
        mut output: SamplesMut<'_, Flat<F>>,
    ) {
        output.values().copy_from_slice(input.values());
        if pass.mode() == Mode::Training {
            owned.counts[0] += 1;
            owned.counts[1] += input.len() as u64;
            owned.state.copy_from_slice(&input.values()[..F]);
        }
    }

    fn backward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, Flat<F>>,
        _: Samples<'_, Flat<F>>,
        mut grad_output: SamplesMut<'_, Flat<F>>,
        grad_input: Option<SamplesMut<'_, Flat<F>>>,
        _: &mut [f32],
    ) {
        if let Some(mut grad_input) = grad_input {
            grad_input.values().copy_from_slice(grad_output.values());
        }
    }
}

network! {
    /// Counts of a network inside, of a user's layer, and of a normalization behind both.
    pub Outer<1, 2, 2> { Net, Counter, linear<4>, inner: Counter, linear<2> }
}

/// A tensor of a file.
#[derive(Clone)]
struct Tensor {
    name: String,
    dtype: Dtype,
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

fn tensor(name: &str, dtype: Dtype, sizes: &[usize], bytes: Vec<u8>) -> Tensor {
    Tensor { name: name.to_owned(), dtype, sizes: sizes.to_vec(), bytes }
}

fn floats(name: &str, sizes: &[usize], values: &[f32]) -> Tensor {
    tensor(name, Dtype::F32, sizes, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// The tensors of `Net` but the count.
fn tensors() -> Vec<Tensor> {
    vec![
        floats("conv.weight", &[2, 1, 1, 1], &[1.0, 2.0]),
        floats("bn.weight", &[2], &[3.0, 4.0]),
        floats("bn.bias", &[2], &[5.0, 6.0]),
        floats("bn.running_mean", &[2], &[7.0, 8.0]),
        floats("bn.running_var", &[2], &[9.0, 10.0]),
        floats("fc.weight", &[3, 8], &[11.0; 24]),
        floats("fc.bias", &[3], &[12.0, 13.0, 14.0]),
    ]
}

/// Those with another in the place of the one of its name, or at the end.
fn with(other: Tensor) -> Vec<Tensor> {
    let mut tensors = tensors();
    match tensors.iter_mut().find(|tensor| tensor.name == other.name) {
        Some(tensor) => *tensor = other,
        None => tensors.push(other),
    }
    tensors
}

/// A file that is gone when it is dropped.
struct File(PathBuf);

impl File {
    fn of(name: &str, tensors: &[Tensor]) -> Self {
        let views = tensors
            .iter()
            .map(|tensor| (&tensor.name, TensorView::new(tensor.dtype, tensor.sizes.clone(), &tensor.bytes).unwrap()));
        let bytes = safetensors::serialize(views, None).unwrap();
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("loading-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A network whose statistics and count are its own.
fn trained() -> Net {
    let mut net = Net::new(1);
    net.weights_mut().state_mut().copy_from_slice(&[20.0, 21.0, 22.0, 23.0]);
    net.weights_mut().counts_mut()[0] = 500;
    net
}

fn count(net: &Net) -> u64 {
    let counts: Vec<_> =
        net.weights().tensors().filter_map(|tensor| Some((tensor.name.clone(), tensor.count()?))).collect();
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0].0, "bn.num_batches_tracked");
    assert_eq!(net.weights().counts(), [counts[0].1]);
    counts[0].1
}

fn values(net: &Net, name: &str) -> Vec<f32> {
    net.weights().tensors().find(|tensor| tensor.name == name).unwrap().to_pytorch()
}

/// What loading says, which must leave the network as it was.
fn refused(name: &str, tensors: &[Tensor]) -> String {
    let file = File::of(name, tensors);
    let mut net = trained();
    let error = net.load_safetensors(&file.0).unwrap_err();
    assert_eq!(net.weights(), trained().weights());
    error.to_string().replace(file.0.to_str().unwrap(), "FILE")
}

const COUNT: &str = "bn.num_batches_tracked";

/// A count is an integer: read as a number it is its value, not its bits.
#[test]
fn a_count_is_a_whole_number_by_name() {
    let mut net = trained();
    assert_eq!(count(&net), 500);
    assert_eq!(values(&net, COUNT), [500.0]);
    assert_eq!(net.weights().state(), [20.0, 21.0, 22.0, 23.0], "counts stand apart");
    // Beyond what f32, and a u32, could hold.
    net.weights_mut().counts_mut()[0] = (1 << 40) + 1;
    let file = File::of("count", &tensors());
    net.save_safetensors(&file.0).unwrap();
    let mut read = Net::new(0);
    read.load_safetensors(&file.0).unwrap();
    assert_eq!(count(&read), (1 << 40) + 1);
    assert_eq!(read.weights(), net.weights());
    assert!(net.weights().tensors().filter(|tensor| tensor.name != COUNT).all(|tensor| tensor.count().is_none()));
}

#[test]
fn counts_of_layers_in_networks_and_of_users_are_whole_numbers_too() -> Result<(), Error> {
    let mut net = Outer::new(0);
    let (images, targets) = (Batch::from_nchw(&[0.25; 12])?, Batch::from_nchw(&[1.0; 6])?);
    let mut training = Training::new(0);
    for _ in 0..2 {
        training.backward(Mode::Training, &mut net, &images, &MeanSquaredError::new(&targets))?;
    }
    training.backward(Mode::Evaluation, &mut net, &images, &MeanSquaredError::new(&targets))?;
    net.forward(&images);
    let counts: Vec<_> =
        net.weights().tensors().filter_map(|tensor| Some((tensor.name.clone(), tensor.count()?))).collect();
    let expected = [
        ("0.bn.num_batches_tracked", 2),
        ("1.batches", 2),
        ("1.samples", 6),
        ("inner.batches", 2),
        ("inner.samples", 6),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(net.weights().counts(), expected.map(|(_, count)| count));
    assert_eq!(net.weights().state().len(), 4 + 3 + 4);

    let file = File::of("outer", &[]);
    net.save_safetensors(&file.0)?;
    let mut read = Outer::new(1);
    read.load_safetensors(&file.0)?;
    assert_eq!(read.weights(), net.weights());
    // Only batch norms' counts may be missing: PyTorch knows no other whose files are older than they.
    let report = Outer::new(1).load_with(&File::of("outer-empty", &[]).0, &Loading::new().strict(false))?;
    let missing: Vec<_> = report.missing().filter(|name| expected.iter().any(|(count, _)| count == name)).collect();
    assert_eq!(missing, ["1.batches", "1.samples", "inner.batches", "inner.samples"]);
    Ok(())
}

/// `_NormBase._load_from_state_dict` of PyTorch 2 fills in the count where `state_dict` has no version, as none has that
/// comes from a safetensors file: 0 in a new module. (One that was trained keeps its own there, which is of other statistics.)
#[test]
fn a_missing_count_is_that_of_a_new_module() {
    let file = File::of("no-count", &tensors());
    let mut net = trained();
    net.load_safetensors(&file.0).unwrap();
    assert_eq!((count(&net), net.weights().state()), (0, &[7.0, 8.0, 9.0, 10.0][..]));
    let mut net = trained();
    assert!(net.load_with(&file.0, &Loading::new().strict(false)).unwrap().is_complete());
    assert_eq!((count(&net), net.weights().state()), (0, &[7.0, 8.0, 9.0, 10.0][..]));
}

/// `Module._load_from_state_dict` takes the one value of a tensor with one dimension for one without, and `copy_` converts.
#[test]
fn a_count_may_be_of_any_type_and_have_one_dimension() {
    let as_types: [(Dtype, Vec<u8>); 12] = [
        (Dtype::I8, 42_i8.to_le_bytes().into()),
        (Dtype::I16, 42_i16.to_le_bytes().into()),
        (Dtype::I32, 42_i32.to_le_bytes().into()),
        (Dtype::I64, 42_i64.to_le_bytes().into()),
        (Dtype::U8, 42_u8.to_le_bytes().into()),
        (Dtype::U16, 42_u16.to_le_bytes().into()),
        (Dtype::U32, 42_u32.to_le_bytes().into()),
        (Dtype::U64, 42_u64.to_le_bytes().into()),
        (Dtype::F16, 0x5140_u16.to_le_bytes().into()),
        (Dtype::BF16, 0x4228_u16.to_le_bytes().into()),
        (Dtype::F32, 42_f32.to_le_bytes().into()),
        (Dtype::F64, 42_f64.to_le_bytes().into()),
    ];
    for (dtype, bytes) in as_types {
        for sizes in [&[][..], &[1]] {
            let file = File::of("count-type", &with(tensor(COUNT, dtype, sizes, bytes.clone())));
            let mut net = trained();
            net.load_safetensors(&file.0).unwrap_or_else(|error| panic!("{dtype} {sizes:?}: {error}"));
            assert_eq!(count(&net), 42, "{dtype} {sizes:?}");
        }
    }
}

#[test]
fn what_is_no_count_says_what_it_is() {
    let message = |dtype, bytes: &[u8]| refused("no-such-count", &with(tensor(COUNT, dtype, &[], bytes.to_vec())));
    for (text, found) in [
        (message(Dtype::F32, &2.5_f32.to_le_bytes()), "2.5"),
        (message(Dtype::F32, &f32::NAN.to_le_bytes()), "NaN"),
        (message(Dtype::F16, &0x7c00_u16.to_le_bytes()), "inf"),
        (message(Dtype::I64, &(-3_i64).to_le_bytes()), "-3"),
        (message(Dtype::U64, &u64::MAX.to_le_bytes()), "18446744073709551615"),
    ] {
        let expected = format!("FILE: tensor {COUNT}: expected a whole number from 0 to {}, found {found}", i64::MAX);
        assert_eq!(text, expected);
    }
    assert_eq!(message(Dtype::BOOL, &[1]), format!("FILE: tensor {COUNT}: expected I64, found BOOL"));
    let two = tensor(COUNT, Dtype::I64, &[2], vec![0; 16]);
    assert_eq!(refused("two-counts", &with(two)), format!("FILE: tensor {COUNT}: expected [], found [2]"));
}

/// A lenient reader's count belongs to the statistics that the network has then.
#[test]
fn a_count_goes_with_its_statistics() {
    let load = |tensors: &[Tensor]| {
        let file = File::of("lenient-count", tensors);
        let mut net = trained();
        let report = net.load_with(&file.0, &Loading::new().strict(false)).unwrap();
        (count(&net), net.weights().state().to_vec(), report.to_string())
    };
    let without = |names: &[&str], mut tensors: Vec<Tensor>| {
        tensors.retain(|tensor| !names.contains(&tensor.name.as_str()));
        tensors
    };
    let counted = || with(tensor(COUNT, Dtype::I64, &[], 9_i64.to_le_bytes().into()));
    let wrong = || with(tensor(COUNT, Dtype::F32, &[], 2.5_f32.to_le_bytes().into()));
    let (mean, variance) = ("bn.running_mean", "bn.running_var");
    let (own, of_file) = ([20.0, 21.0, 22.0, 23.0], [7.0, 8.0, 9.0, 10.0]);
    let left_out = format!("tensor {COUNT} counts for statistics that were not all taken");

    let (count, state, report) = load(&counted());
    assert_eq!((count, &state[..], report.as_str()), (9, &of_file[..], ""));
    let (count, state, _) = load(&wrong());
    assert_eq!((count, &state[..]), (0, &of_file[..]), "as if it had none");
    let (count, state, _) = load(&without(&[mean, variance], tensors()));
    assert_eq!((count, &state[..]), (500, &own[..]), "all three are the network's");
    let (count, state, report) = load(&without(&[mean, variance], counted()));
    assert_eq!((count, &state[..]), (500, &own[..]));
    assert!(report.contains(&left_out), "{report}");
    for tensors in [tensors(), counted()] {
        let (count, state, report) = load(&without(&[mean], tensors.clone()));
        assert_eq!((count, &state[..]), (0, &[20.0, 21.0, 9.0, 10.0][..]), "of neither");
        assert_eq!(report.contains(&left_out), tensors.len() == 8, "{report}");
    }
}

/// `copy_` of PyTorch keeps infinities; they are values in masks and in what overflowed.
#[test]
fn an_infinity_is_a_value_of_every_floating_point_type() {
    let infinities: [(Dtype, Vec<u8>); 4] = [
        (Dtype::F16, [0x7c00_u16, 0xfc00].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
        (Dtype::BF16, [0x7f80_u16, 0xff80].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
        (Dtype::F32, [f32::INFINITY, f32::NEG_INFINITY].iter().flat_map(|value| value.to_le_bytes()).collect()),
        (Dtype::F64, [f64::INFINITY, f64::NEG_INFINITY].iter().flat_map(|value| value.to_le_bytes()).collect()),
    ];
    for (dtype, bytes) in infinities {
        let file = File::of("infinite", &with(tensor("bn.bias", dtype, &[2], bytes)));
        let mut net = trained();
        net.load_safetensors(&file.0).unwrap_or_else(|error| panic!("{dtype}: {error}"));
        assert_eq!(values(&net, "bn.bias"), [f32::INFINITY, f32::NEG_INFINITY], "{dtype}");
        // What is read is written.
        net.save_safetensors(&file.0).unwrap();
        let mut again = Net::new(0);
        again.load_safetensors(&file.0).unwrap();
        assert_eq!(again.weights(), net.weights());
    }
}

#[test]
fn what_is_not_a_number_is_refused_in_every_type() {
    let numbers: [(Dtype, Vec<u8>); 4] = [
        (Dtype::F16, [0x3c00_u16, 0x7e00].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
        (Dtype::BF16, [0x3f80_u16, 0xffc1].iter().flat_map(|bits| bits.to_le_bytes()).collect()),
        (Dtype::F32, [1.0, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect()),
        (Dtype::F64, [1.0, f64::NAN].iter().flat_map(|value| value.to_le_bytes()).collect()),
    ];
    for (dtype, bytes) in numbers {
        let text = refused("nan", &with(tensor("bn.bias", dtype, &[2], bytes)));
        assert_eq!(text, "FILE: tensor bn.bias: value 1 is NaN", "{dtype}");
    }
}

/// Right values from PyTorch 2: `torch.tensor(x, dtype=torch.float64).to(torch.float32)`.
#[test]
fn f64_is_rounded_to_the_nearest_f32() {
    let wide = [0.1_f64, 1e300];
    let bytes = wide.iter().flat_map(|value| value.to_le_bytes()).collect();
    let file = File::of("f64", &with(tensor("bn.bias", Dtype::F64, &[2], bytes)));
    let mut net = trained();
    net.load_safetensors(&file.0).unwrap();
    assert_eq!(values(&net, "bn.bias"), [0.1_f32, f32::INFINITY]);
}

#[test]
fn quantized_weights_are_refused_as_what_they_are() {
    for (dtype, name) in [(Dtype::I8, "I8"), (Dtype::U8, "U8"), (Dtype::F8_E4M3, "F8_E4M3"), (Dtype::BOOL, "BOOL")] {
        let text = refused("quantized", &with(tensor("bn.bias", dtype, &[2], vec![1; 2])));
        assert_eq!(text, format!("FILE: tensor bn.bias: expected F32, found {name}"));
    }
}

/// `Deep`'s tensors with other names.
fn deep(rename: impl Fn(String) -> String) -> Vec<Tensor> {
    let net = Deep::new(3);
    let of = |tensor: cnn_core::network::Tensor<'_>| match tensor.count() {
        Some(count) => (tensor.name, Dtype::I64, vec![], count.to_le_bytes().to_vec()),
        None => {
            let (sizes, values) = (tensor.parameter.sizes().to_vec(), tensor.to_pytorch());
            (tensor.name, Dtype::F32, sizes, values.into_iter().flat_map(f32::to_le_bytes).collect())
        }
    };
    let tensors = net.weights().tensors().map(of);
    tensors.map(|(name, dtype, sizes, bytes)| tensor(&rename(name), dtype, &sizes, bytes)).collect()
}

#[test]
fn a_prefix_is_one_line_with_the_call_that_takes_it_off() {
    for prefix in ["module.", "model.module.", "_orig_mod."] {
        let file = File::of("prefix", &deep(|name| format!("{prefix}{name}")));
        let mut net = Deep::new(0);
        let text = net.load_safetensors(&file.0).unwrap_err().to_string();
        assert_eq!(
            text.replace(file.0.to_str().unwrap(), "FILE"),
            format!(
                "FILE: every name starts with \"{prefix}\"; Loading::new().strip_prefix(\"{prefix}\") takes it off"
            )
        );
        assert_eq!(net.weights(), Deep::new(0).weights());
        net.load_with(&file.0, &Loading::new().strip_prefix(prefix)).unwrap();
        assert_eq!(net.weights(), Deep::new(3).weights());

        // Leniently nothing fits, and the report says why in its first line.
        let mut net = Deep::new(0);
        let report = net.load_with(&file.0, &Loading::new().strict(false)).unwrap();
        assert!(report.to_string().starts_with("every name starts with"), "{report}");
        assert!(report.to_string().lines().count() < 15, "{report}");
        assert_eq!(report.missing().count(), 602, "a count is no tensor that older files lack");
        assert_eq!(net.weights(), Deep::new(0).weights());
        assert!(net.load_with(&file.0, &Loading::new().strict(false).strip_prefix(prefix)).unwrap().is_complete());
        assert_eq!(net.weights(), Deep::new(3).weights());
    }
}

#[test]
fn behind_a_prefix_only_what_else_is_wrong_is_told() {
    let mut tensors = deep(|name| format!("module.{name}"));
    tensors.retain(|tensor| tensor.name != "module.fc.bias");
    tensors.push(floats("optimizer.step", &[1], &[1.0]));
    tensors.iter_mut().find(|tensor| tensor.name == "module.fc.weight").unwrap().sizes = vec![1, 2];
    let file = File::of("prefix-and-more", &tensors);
    let mut net = Deep::new(0);
    let text = net.load_safetensors(&file.0).unwrap_err().to_string();
    assert_eq!(
        text.replace(file.0.to_str().unwrap(), "FILE"),
        "FILE: 751 of 752 names start with \"module.\"; Loading::new().strip_prefix(\"module.\") takes it off\n  \
         tensor fc.weight: expected [2, 1], found [1, 2]\n  \
         tensor fc.bias is missing: expected [2]\n  \
         tensor optimizer.step is not in the network"
    );
    // The same, asked for with the prefix.
    let stripped = net.load_with(&file.0, &Loading::new().strip_prefix("module.")).unwrap_err().to_string();
    assert_eq!(stripped.lines().count(), 3);
    // A prefix that nothing has takes nothing off, and another one is still found.
    let other = net.load_with(&file.0, &Loading::new().strip_prefix("model.")).unwrap_err().to_string();
    assert!(other.contains("names start with \"module.\""), "{other}");
}

#[test]
fn a_name_without_the_prefix_is_itself() {
    let mut tensors = deep(|name| name);
    for tensor in tensors.iter_mut().filter(|tensor| tensor.name.starts_with("fc.")) {
        tensor.name.insert_str(0, "head.");
    }
    let file = File::of("some-prefixed", &tensors);
    let mut net = Deep::new(0);
    assert!(net.load_safetensors(&file.0).is_err());
    net.load_with(&file.0, &Loading::new().strip_prefix("head.")).unwrap();
    assert_eq!(net.weights(), Deep::new(3).weights());
}

#[test]
fn a_few_problems_of_each_kind_are_shown_and_all_are_there() {
    let file = File::of("other-names", &deep(|name| name.replace("conv", "convolution")));
    let mut net = Deep::new(0);
    let error = net.load_safetensors(&file.0).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 5 + 5 + 1, "{text}");
    assert!(text.ends_with("\n  and 590 more"), "{text}");
    let Error::Weights { problems, .. } = error else { panic!("{error}") };
    let count = |is: fn(&WeightsProblem) -> bool| problems.iter().filter(|problem| is(problem)).count();
    assert_eq!(count(|problem| matches!(problem, WeightsProblem::Missing { .. })), 300);
    assert_eq!(count(|problem| matches!(problem, WeightsProblem::Extra { .. })), 300);
}

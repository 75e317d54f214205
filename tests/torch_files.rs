//! Files of `torch.save`, read without Python: what PyTorch wrote is read as PyTorch reads it, and what wants more than tensors
//! is an error that says what. `fixtures/pth/make.py` made the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cnn_core::error::WeightsProblem;
use cnn_core::io::Loading;
use cnn_core::prelude::*;
use proptest::prelude::*;

network! {
    /// The network of the files.
    pub Net<2, 4, 4> { conv: conv2d<3, 3>, bn: batch_norm2d, relu, flatten, fc: linear<2> }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pth").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

/// What the weights are.
fn expected(name: &str) -> Net {
    let mut net = Net::new(0);
    net.load_safetensors(path(name)).unwrap();
    net
}

fn loaded(name: &str) -> Net {
    let mut net = Net::new(1);
    net.load(path(name)).unwrap_or_else(|error| panic!("{error}"));
    net
}

/// What is wrong with a file, as a path and in memory, strictly and leniently; the network is as it was.
fn refused(name: &str) -> String {
    let text = refused_bytes(&bytes(name));
    let mut net = Net::new(1);
    let error = net.load(path(name)).unwrap_err().to_string();
    assert_eq!(error, format!("{}: {text}", path(name).display()));
    assert_eq!(net.weights(), Net::new(1).weights());
    text
}

fn refused_bytes(bytes: &[u8]) -> String {
    let mut net = Net::new(1);
    let error = net.load_from_bytes(bytes, &Loading::new()).unwrap_err().to_string();
    assert_eq!(net.weights(), Net::new(1).weights());
    error.strip_prefix("bytes in memory: ").unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn every_protocol_is_read_from_an_archive_and_from_a_file_of_before() {
    let net = expected("weights.safetensors");
    for protocol in [2, 4, 5] {
        for kind in ["zip", "legacy"] {
            assert_eq!(loaded(&format!("{kind}{protocol}.pth")).weights(), net.weights(), "{kind}{protocol}");
        }
    }
    assert_eq!(net.weights().counts(), [40]);
    assert_eq!(loaded("packed_again.pth").weights(), net.weights(), "by another program");
    assert_eq!(loaded("zip64.pth").weights(), net.weights(), "as archives of more than 4 GiB are");
}

#[test]
fn every_type_of_number_is_that_number() {
    let net = expected("weights.safetensors");
    for name in ["f16.pth", "bf16.pth", "f64.pth", "f16_legacy.pth", "uint16.pth"] {
        assert_eq!(loaded(name).weights(), net.weights(), "{name}");
    }
}

#[test]
fn numbers_are_found_behind_others_that_are_not_read() {
    for name in ["odd.pth", "odd_legacy.pth"] {
        let mut net = Net::new(1);
        let report = net.load_with(path(name), &Loading::new().strict(false)).unwrap();
        assert_eq!(net.weights(), expected("weights.safetensors").weights(), "{name}");
        assert_eq!(
            report.to_string(),
            "complex: expected a tensor, found complex numbers of 128 bits\nwide: expected a tensor, found a quantized \
             tensor\nnarrow: expected a tensor, found a quantized tensor\ntensor flag is not in the network\n"
        );
    }
}

#[test]
fn values_are_found_wherever_they_lie() {
    let net = expected("strided.safetensors");
    for name in ["strided.pth", "strided_legacy.pth"] {
        assert_eq!(loaded(name).weights(), net.weights(), "{name}");
    }
}

#[test]
fn bytes_in_memory_are_a_file_too() {
    for name in ["weights.safetensors", "zip2.pth", "legacy2.pth"] {
        let mut net = Net::new(1);
        assert!(net.load_from_bytes(&bytes(name), &Loading::new()).unwrap().is_complete());
        assert_eq!(net.weights(), expected("weights.safetensors").weights(), "{name}");
    }
}

#[test]
fn the_weights_are_found_in_what_training_scripts_keep() {
    let net = expected("weights.safetensors");
    for name in ["checkpoint.pth", "checkpoint_legacy.pth", "parameters.pth"] {
        assert_eq!(loaded(name).weights(), net.weights(), "{name}");
    }
    let mut wrapped = Net::new(1);
    wrapped.load_with(path("wrapped.pth"), &Loading::new().strip_prefix("module.")).unwrap();
    assert_eq!(wrapped.weights(), net.weights());
    assert_eq!(
        refused("wrapped.pth"),
        "every name starts with \"module.\"; Loading::new().strip_prefix(\"module.\") takes it off"
    );
}

#[test]
fn keys_say_which_of_several() {
    let (net, mut half) = (expected("weights.safetensors"), Net::new(1));
    assert_eq!(loaded("averaged.pth").weights(), net.weights(), "the usual key is the usual one");
    half.load_with(path("averaged.pth"), &Loading::new().under("ema").under("module")).unwrap();
    assert_eq!(half.weights().values()[0], net.weights().values()[0] / 2.0);

    let text =
        "there are tensors under \"generator\", \"discriminator\"; Loading::new().under(\"generator\") takes those";
    assert_eq!(refused("two.pth"), text);
    let mut other = Net::new(1);
    other.load_with(path("two.pth"), &Loading::new().under("discriminator")).unwrap();
    assert_eq!(other.weights(), half.weights());
    let error = other.load_with(path("two.pth"), &Loading::new().under("critic")).unwrap_err().to_string();
    let text = "expected a dict under \"critic\", found \"generator\", \"discriminator\", \"epoch\"";
    assert!(error.ends_with(text), "{error}");
    let error = other.load_with(path("two.pth"), &Loading::new().under("epoch")).unwrap_err().to_string();
    assert!(error.contains("expected a dict under \"epoch\""), "{error}");
    let error = other.load_with(path("weights.safetensors"), &Loading::new().under("ema")).unwrap_err().to_string();
    assert!(error.contains("leave out `under`"), "{error}");
}

#[test]
fn a_checkpoint_of_another_network_is_told_by_its_tensors() {
    let text = refused("other.pth");
    assert!(text.contains("tensor conv.weight is missing: expected [3, 2, 3, 3]"), "{text}");
    assert!(text.contains("tensor backbone.weight is not in the network"), "{text}");
    assert!(text.contains("epoch: expected a tensor, found an integer"), "{text}");
    assert_eq!(refused("extra.pth"), "epoch: expected a tensor, found an integer");
    let mut net = Net::new(1);
    let report = net.load_with(path("extra.pth"), &Loading::new().strict(false)).unwrap();
    assert!(
        matches!(&report.problems[..], [WeightsProblem::NoTensor { name, found: "an integer" }] if name == "epoch")
    );
    assert_eq!(net.weights(), expected("weights.safetensors").weights());
}

#[test]
fn names_are_renamed() {
    let mut net = Net::new(1);
    let renames = Loading::new().strip_prefix("module.").rename(|name| name.replace("fc.", "head."));
    let error = net.load_with(path("wrapped.pth"), &renames).unwrap_err().to_string();
    assert!(error.contains("tensor fc.weight is missing: expected [2, 12]"), "{error}");
    assert!(error.contains("tensor module.fc.weight is not in the network"), "{error}");
    let back = renames.rename(|name| name.replace("head.", "fc."));
    assert!(net.load_with(path("wrapped.pth"), &back).unwrap().is_complete());
    assert_eq!(net.weights(), expected("weights.safetensors").weights());

    let same = Loading::new().rename(|name| name.replace("running_mean", "bias")).strict(false);
    let error = net.load_with(path("zip2.pth"), &same).unwrap_err();
    assert!(error.to_string().ends_with("tensors bn.bias and bn.running_mean are both renamed to bn.bias"), "{error}");
}

#[test]
fn other_numbers_are_refused_by_name() {
    for (name, text) in [
        ("int8.pth", "tensor conv.weight: expected F32, found I8"),
        ("float8.pth", "tensor conv.weight: expected F32, found F8_E4M3"),
        ("sparse.pth", "fc.bias: expected a tensor of numbers, found a sparse tensor"),
        ("quantized.pth", "fc.bias: expected a tensor of numbers, found a quantized tensor"),
        ("negated.pth", "fc.bias: expected a tensor of numbers, found a tensor whose values are negated"),
    ] {
        let refused = refused(name).replace("a tensor, found", "a tensor of numbers, found");
        assert!(refused.starts_with(text), "{refused}");
    }
}

#[test]
fn a_pickle_that_wants_to_run_code_is_named() {
    for name in ["system.pth", "system_legacy.pth"] {
        assert_eq!(refused(name), "wants to call posix.system: a file of weights calls nothing");
    }
    for name in ["eval.pth", "eval_legacy.pth"] {
        assert_eq!(refused(name), "wants to call __builtin__.eval: a file of weights calls nothing");
    }
}

#[test]
fn a_module_as_a_whole_is_refused_with_a_way_out() {
    for (name, class) in [
        ("module.pth", "torch.nn.modules.container.Sequential"),
        ("module_legacy.pth", "__main__.Lone"),
        ("module_inside.pth", "torch.nn.modules.linear.Linear"),
    ] {
        assert_eq!(
            refused(name),
            format!(
                "holds an object of the class {class}, not only tensors: write it with torch.save(model.state_dict(), ..)"
            )
        );
    }
}

#[test]
fn what_is_not_read_is_refused_in_words() {
    for (name, text) in [
        ("script.pt", "a program of TorchScript; load it there and write it with torch.save(model.state_dict(), ..)"),
        ("big_endian.pth", "its numbers are big-endian; load it with PyTorch on a usual machine and save it again"),
        ("deflated.pth", "broken archive: the record byteorder is compressed, which torch.save does not do"),
        ("list.pth", "expected a dict of tensors by name, found a list"),
        ("plain.pkl", "it is a pickle, but none of torch.save; save it with that"),
    ] {
        assert!(refused(name).ends_with(text), "{}", refused(name));
    }
    let mut tar = vec![0; 257];
    tar.extend(b"ustar\x0000");
    assert!(refused_bytes(&tar).contains("tar archive, as PyTorch wrote before 0.1.10"));
    assert!(refused_bytes(b"<!DOCTYPE html>").contains("page of the web"));
    assert!(refused_bytes(b"\x89HDF\r\n\x1a\n and more").contains("HDF5"));
    assert!(refused_bytes(b"").ends_with("it is empty"));
}

#[test]
fn every_truncation_is_an_error() {
    for name in ["zip2.pth", "zip4.pth", "legacy2.pth", "legacy4.pth", "checkpoint.pth"] {
        let bytes = bytes(name);
        for length in 0..bytes.len() {
            let text = refused_bytes(&bytes[..length]);
            assert!(text.len() < 1000, "{text}");
        }
    }
    let bytes = bytes("legacy2.pth");
    let text = refused_bytes(&bytes[..bytes.len() - 1]);
    assert!(text.starts_with("truncated in tensor "), "{text}");
    assert!(
        text.ends_with(&format!("expected {} bytes, found {}; 1 are missing", bytes.len(), bytes.len() - 1)),
        "{text}"
    );
}

/// A program for the machine, as a file of before version 1.6 has it, and behind it the storage 0 of four values.
fn file(program: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.".to_vec();
    file.extend(b"\x80\x02}X\x0d\0\0\0little_endian\x88s.\x80\x02");
    file.extend(program);
    file.extend(b"\x80\x02]X\x01\0\0\x000a.");
    file.extend(4_u64.to_le_bytes());
    file.extend([0.5_f32, 1.5, 2.5, 3.5].map(f32::to_le_bytes).concat());
    file
}

/// What pushes the storage 0.
const STORAGE: &[u8] = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04NtQ";

/// A dict of the tensor `fc.bias` with these arguments behind the storage.
fn view(arguments: &[u8]) -> Vec<u8> {
    let start = b"}X\x07\0\0\0fc.biasctorch._utils\n_rebuild_tensor_v2\n(".as_slice();
    file(&[start, STORAGE, arguments, b"\x89}tRs."].concat())
}

network! {
    /// The network of those.
    pub Bias<1> { fc: linear<2> }
}

/// `fc.bias` as it is read, or what is wrong with it.
fn bias(file: &[u8]) -> Result<Vec<f32>, String> {
    let mut net = Bias::new(1);
    match net.load_from_bytes(file, &Loading::new().strict(false)) {
        Ok(report) => match report.problems.iter().find(|problem| !matches!(problem, WeightsProblem::Missing { .. })) {
            Some(problem) => Err(problem.to_string()),
            None => Ok(net.weights().tensor("fc.bias").unwrap().to_pytorch()),
        },
        Err(error) => {
            assert_eq!(net.weights(), Bias::new(1).weights());
            Err(error.to_string().strip_prefix("bytes in memory: ").unwrap().to_owned())
        }
    }
}

#[test]
fn views_are_within_their_storages() {
    for (what, arguments, expected) in [
        ("in order", b"K\x01K\x02\x85K\x01\x85".as_slice(), Ok(vec![1.5, 2.5])),
        ("apart", b"K\x00K\x02\x85K\x03\x85", Ok(vec![0.5, 3.5])),
        ("repeated", b"K\x02K\x02\x85K\x00\x85", Ok(vec![2.5, 2.5])),
        (
            "beyond the end",
            b"K\x03K\x02\x85K\x01\x85",
            Err(
                "tensor fc.bias: expected values within its storage of 16 bytes, found offset 3, sizes [2] and strides [1], \
                 which end at byte 20",
            ),
        ),
        (
            "a stride back",
            b"K\x03K\x02\x85J\xff\xff\xff\xff\x85",
            Err("tensor fc.bias: expected sizes and strides from 0 on, found others"),
        ),
        (
            "an offset before the start",
            b"J\xff\xff\xff\xffK\x02\x85K\x01\x85",
            Err(
                "tensor fc.bias: expected an offset from 0 on, as many sizes as strides, 64 at most, found offset -1, 1 and 1",
            ),
        ),
        (
            "a stride less",
            b"K\x00K\x02\x85)",
            Err(
                "tensor fc.bias: expected an offset from 0 on, as many sizes as strides, 64 at most, found offset 0, 1 and 0",
            ),
        ),
        (
            "a size that overflows",
            b"K\x00\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x02\x86K\x00K\x00\x86",
            Err("tensor fc.bias: expected values that can be counted, found F32 [9223372036854775807, 2]"),
        ),
        (
            "a stride that overflows",
            b"K\x00K\x03\x85\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85",
            Err("tensor fc.bias: expected values that can be counted, found F32 [3]"),
        ),
        ("another size", b"K\x00K\x03\x85K\x01\x85", Err("tensor fc.bias: expected [2], found [3]")),
        (
            "as large as a planet",
            b"K\x00\x8a\x06\0\0\0\0\0\x10\x85K\x00\x85",
            Err("tensor fc.bias: expected [2], found [17592186044416]"),
        ),
        ("no numbers", b"K\x00NN", Err("tensor fc.bias: expected sizes and strides from 0 on, found others")),
        (
            "nothing",
            b"",
            Err("tensor fc.bias: expected a storage, an offset, sizes and strides, found other arguments"),
        ),
    ] {
        assert_eq!(bias(&view(arguments)), expected.map_err(str::to_owned), "{what}");
    }
}

#[test]
fn a_storage_is_as_large_as_it_is_said_to_be() {
    let good = view(b"K\x00K\x02\x85K\x01\x85");
    let with = |from: &[u8], to: &[u8]| {
        let place = good.windows(from.len()).position(|window| window == from).unwrap();
        [&good[..place], to, &good[place + from.len()..]].concat()
    };
    assert_eq!(bias(&good), Ok(vec![0.5, 1.5]));
    // Of four values the file has one.
    let short = with(&4_u64.to_le_bytes(), &1_u64.to_le_bytes());
    assert_eq!(bias(&short), Err("tensor fc.bias: expected a storage of 16 bytes, found 4 in the file".to_owned()));
    let long = bias(&with(&4_u64.to_le_bytes(), &(1_u64 << 40).to_le_bytes())).unwrap_err();
    assert!(long.starts_with("truncated in tensor fc.bias: expected 439804651"), "{long}");
    let endless = bias(&with(&4_u64.to_le_bytes(), &u64::MAX.to_le_bytes())).unwrap_err();
    assert!(endless.ends_with("no file has a storage of 18446744073709551615 values"), "{endless}");
    let negative = bias(&with(b"K\x04N", b"J\xff\xff\xff\xffN")).unwrap_err();
    assert!(negative.ends_with("it refers to what is no storage"), "{negative}");
    let other = bias(&with(b"]X\x01\0\0\x000", b"]X\x01\0\0\x001")).unwrap_err();
    assert!(other.ends_with("it lists a storage that no tensor has"), "{other}");
    let none = bias(&with(b"X\x01\0\0\x000a.", b"0].")).unwrap_err();
    assert_eq!(none, "tensor fc.bias: expected its values, in the storage 0, found no such storage");
    let big = bias(&with(b"\x88s.", b"\x89s.")).unwrap_err();
    assert!(big.starts_with("its numbers are big-endian"), "{big}");
    let version = bias(&with(b"M\xe9\x03", b"M\xea\x03")).unwrap_err();
    assert_eq!(version, "not of version 1001 of torch.save's format");
}

/// What Python 2 wrote: strings of bytes, an OrderedDict of a list of pairs, and views of storages.
#[test]
fn a_file_of_python_2_is_read() {
    let storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04(U\x01vK\x01K\x02ttQ".as_slice();
    let start = b"ccollections\nOrderedDict\n](](U\x07fc.biasctorch._utils\n_rebuild_tensor\n(".as_slice();
    let program = [start, storage, b"K\x00K\x02\x85K\x01\x85tRee\x85R}U\x09_metadata}sb."].concat();
    assert_eq!(bias(&file(&program)), Ok(vec![1.5, 2.5]));
    let beyond = [start, &storage[..storage.len() - 5], b"K\x05ttQK\x00K\x02\x85K\x01\x85tRee\x85R."].concat();
    assert!(bias(&file(&beyond)).unwrap_err().ends_with("a view is not within its storage"));
}

#[test]
fn a_broken_program_is_an_error_with_its_place() {
    for (program, text) in [
        (b"0.".as_slice(), "it takes more from the stack than there is"),
        (b"K\x01(0.", "it takes more from the stack than there is"),
        (b"t.", "it goes back to a mark that there is not"),
        (b"h\x07.", "it remembers no value 7"),
        (b"K\x01K\x02a.", "it appends to what is no list"),
        (b"K\x01K\x02K\x03s.", "it sets items of what is no dict"),
        (b"}(K\x01u.", "a key has no value"),
        (b"K\x01)R.", "it calls what is no function"),
        (b"ccollections\nOrderedDict\nK\x01R.", "the arguments of a call are no tuple"),
        (b"K\x01)\x81.", "it makes an object of what is no class"),
        (b"K\x01Q.", "it refers to what is no storage"),
        (b"K\x01K\x02\x93.", "the name of a function is no string, or a long one"),
        (b"X\xff\xff\xff\xff", "expected 4294967295 more bytes, found "),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "expected 18446744073709551615 more bytes, found "),
        (b"\x8b\xff\xff\xff\xff", "expected 4294967295 more bytes, found "),
        (b"X\x01\0\0\0\xff.", "a string is not UTF-8"),
        (b"c\xff\n", "a name is not UTF-8"),
        (b"P", "no file of weights has the instruction 0x50"),
        (b"\x80\x06", "expected protocol 2 to 5, found 6"),
    ] {
        let refused = bias(&file(program)).unwrap_err();
        assert!(refused.starts_with("broken pickle at byte ") && refused.contains(text), "{refused}");
    }
    for (program, text) in [
        (b"cos\nsystem\n.".as_slice(), "wants to call os.system: a file of weights calls nothing"),
        (b"(ios\nsystem\n.", "wants to call os.system: a file of weights calls nothing"),
        (
            b"cmy\nNet\n)\x81.",
            "holds an object of the class my.Net, not only tensors: write it with torch.save(model.state_dict(), ..)",
        ),
        (
            b"cmy\nNet\n}b.",
            "holds an object of the class my.Net, not only tensors: write it with torch.save(model.state_dict(), ..)",
        ),
        (b"}.", "expected a dict of tensors by name, found an empty dict"),
        (b"}K\x01K\x02s.", "expected a dict of tensors by name, found a dict that has an integer as a key"),
        (b"}X\x01\0\0\0aK\x02s.", "expected a dict of tensors by name, found a dict of \"a\""),
        (b"K\x01.", "expected a dict of tensors by name, found an integer"),
        (b"}X\x01\0\0\0aq\x01K\x02sh\x01K\x03s.", "tensor a: expected one tensor of this name, found two"),
        (b"}X\x01\0\0\0aK\x02sX\x01\0\0\0aK\x03s.", "tensor a: expected one tensor of this name, found two"),
    ] {
        assert_eq!(bias(&file(program)).unwrap_err(), text);
    }
}

/// Programs that would take long, or much memory, if values were copied or walked.
#[test]
fn no_program_takes_long() {
    let many = |start: &[u8], part: &[u8], end: &[u8]| file(&[start, &part.repeat(300_000), end].concat());
    let long = [b"X\x40\x42\x0f\0".as_slice(), &[b'a'; 1_000_000]].concat();
    let mut dicts = [b"ccollections\nOrderedDict\nq\x030](".as_slice(), &b"]".repeat(100_000), b"eq\x020}("].concat();
    for key in 0..100_000 {
        dicts.extend([format!("X\x06\0\0\0{key:06}").as_bytes(), b"h\x03h\x02\x85R"].concat());
    }
    for (what, program) in [
        ("a list that contains itself", many(b"]q\x01h\x01a", b"h\x01a", b".")),
        ("a dict that contains itself", many(b"X\x01\0\0\0aq\x020}q\x01", b"h\x02h\x01s", b".")),
        ("lists within lists", many(b"", b"]", &[b"a".repeat(299_999), b".".to_vec()].concat())),
        ("tuples within tuples", many(b"N", b"\x85", b".")),
        ("a bomb", many(b"]q\x01", b"]q\x02h\x01ah\x01aq\x01", b".")),
        ("dicts under dicts", many(b"}q\x01X\x01\0\0\0aq\x02h\x01s", b"}h\x02h\x01sq\x01", b".")),
        ("dicts of one list of pairs", file(&[&dicts[..], b"u."].concat())),
        ("marks", many(b"", b"(", b".")),
        ("one long name", many(&[&long[..], b"q\x01"].concat(), b"h\x01h\x01\x930", b".")),
        ("one long key", many(&[b"}".as_slice(), &long, b"q\x010("].concat(), b"h\x01K\x01", b"u.")),
        (
            "storages of a long name",
            many(
                &[&long[..], b"q\x010ctorch\nFloatStorage\nq\x02\x30X\x07\0\0\0storageq\x03"].concat(),
                b"(h\x03h\x02h\x01h\x01K\x04tQ0",
                b".",
            ),
        ),
        ("functions", many(b"", b"cx\ny\n0", b".")),
    ] {
        let start = Instant::now();
        let text = bias(&program).unwrap_err();
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(10), "{what}: {elapsed:?}");
        assert!(text.len() < 1000, "{what}: {text}");
    }
}

/// A storage that claims much, in a file that is large without taking room: what nobody asked for is not read.
#[test]
fn a_file_of_holes_is_not_read() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("holes-{}.pth", std::process::id()));
    let len = 1_u64 << 36;
    let mut start = view(b"K\x00K\x02\x85K\x01\x85");
    let place = start.len() - 24;
    start[place..place + 8].copy_from_slice(&(len / 4).to_le_bytes());
    fs::write(&path, &start).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(place as u64 + 8 + len).unwrap();
    let (mut net, begin) = (Bias::new(1), Instant::now());
    let report = net.load_with(&path, &Loading::new().strict(false)).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(report.missing().collect::<Vec<_>>(), ["fc.weight"]);
    assert_eq!(net.weights().tensor("fc.bias").unwrap().to_pytorch(), [0.5, 1.5]);
    fs::remove_file(&path).unwrap();
}

/// Values as far apart as here are those of a file that is made to be read for long.
#[test]
fn values_far_apart_are_refused() {
    let far = b"K\x00K\x02\x85\x8a\x04\0\0\x10\0\x85".as_slice();
    let start = b"}X\x07\0\0\0fc.biasctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n";
    let storage = b"X\x01\0\0\x000X\x03\0\0\0cpu\x8a\x04\0\0\x20\0NtQ".as_slice();
    let mut file = file(&[start.as_slice(), storage, far, b"\x89}tRs."].concat());
    let values = file.len() - 24;
    file.truncate(values);
    file.extend((1_u64 << 21).to_le_bytes());
    file.resize(values + 8 + (4 << 21), 0);
    let text = "tensor fc.bias: expected 8 bytes near one another, found them within 4194308";
    assert_eq!(bias(&file), Err(text.to_owned()));
}

#[test]
fn an_archive_without_its_parts_is_an_error() {
    let good = bytes("zip2.pth");
    let with = |from: &[u8], to: &[u8]| {
        let mut changed = good.clone();
        for place in 0..changed.len() - from.len() {
            if changed[place..].starts_with(from) {
                changed[place..place + to.len()].copy_from_slice(to);
            }
        }
        refused_bytes(&changed)
    };
    assert_eq!(with(b"data.pkl", b"meta.pkl"), "broken archive: it has no record data.pkl, as those of torch.save do");
    let text = with(b"zip2/data/0", b"zip2/data/x");
    assert_eq!(text, "tensor conv.weight: expected its values, in the record data/0, found no such record");
    assert_eq!(with(b"zip2/data/0", b"zip2/data/1"), "broken archive: it has two records data/1");
    assert_eq!(with(b"PK\x01\x02", b"PK\x01\x03").split(':').next(), Some("broken archive"));
    // What the directory says of its records: 8 bytes on, whether they are encrypted, 20 on, how long they are.
    let records = |change: fn(&mut [u8])| {
        let mut changed = good.clone();
        let places: Vec<_> = (0..good.len() - 46).filter(|place| good[*place..].starts_with(b"PK\x01\x02")).collect();
        places.iter().for_each(|place| change(&mut changed[*place..]));
        refused_bytes(&changed)
    };
    assert_eq!(records(|record| record[8] |= 1), "broken archive: the record data.pkl is encrypted");
    let long = records(|record| record[23] = 1);
    assert_eq!(long, "broken archive: the record byteorder goes beyond the end of the file");
    let cut = refused_bytes(&good[..good.len() - 30]);
    assert_eq!(cut, "broken archive: its directory, which is at the end, is missing; was the download interrupted?");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes are changed, it is weights or an error, soon, and an error changes nothing.
    #[test]
    fn a_changed_file_is_read_or_refused(
        name in prop::sample::select(vec!["zip2.pth", "zip4.pth", "legacy2.pth", "legacy4.pth", "strided.pth", "checkpoint.pth", "parameters.pth"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..6),
        lenient: bool,
    ) {
        let mut bytes = bytes(name);
        for (place, byte, how) in changes {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        let (mut net, untouched) = (Net::new(1), Net::new(1));
        let start = Instant::now();
        match net.load_from_bytes(&bytes, &Loading::new().strict(!lenient)) {
            Ok(report) => prop_assert!(report.to_string().len() < 10_000),
            Err(error) => {
                prop_assert!(error.to_string().len() < 10_000);
                prop_assert_eq!(net.weights(), untouched.weights());
            }
        }
        prop_assert!(start.elapsed() < Duration::from_secs(5));
    }
}

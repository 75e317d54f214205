//! Weights in several safetensors files: an index and its shards say the same, or it is an error that says which does not.

use std::fs;
use std::path::PathBuf;

use cnn_core::error::WeightsProblem;
use cnn_core::io::Loading;
use cnn_core::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

network! {
    /// Four tensors.
    pub Net<3> { first: linear<2>, relu, second: linear<4> }
}

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("shards-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a shard with these tensors of a network.
    fn shard(&self, file: &str, names: &[&str]) {
        let net = Net::new(3);
        let tensors = net.weights().tensors().filter(|tensor| names.contains(&&*tensor.name));
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .map(|tensor| {
                let bytes = tensor.to_pytorch().into_iter().flat_map(f32::to_le_bytes).collect();
                (tensor.name, tensor.parameter.sizes().to_vec(), bytes)
            })
            .collect();
        let views = tensors
            .iter()
            .map(|(name, sizes, bytes)| (name, TensorView::new(Dtype::F32, sizes.clone(), bytes).unwrap()));
        fs::write(self.0.join(file), safetensors::serialize(views, None).unwrap()).unwrap();
    }

    fn index(&self, text: &str) -> PathBuf {
        let path = self.0.join("model.safetensors.index.json");
        fs::write(&path, text).unwrap();
        path
    }

    /// What loading by this index says.
    fn refused(&self, index: &str) -> String {
        let path = self.index(index);
        let mut net = Net::new(1);
        let text = net.load(&path).unwrap_err().to_string();
        assert_eq!(net.weights(), Net::new(1).weights());
        assert!(net.load_with(&path, &Loading::new().strict(false)).is_err());
        text.replace(path.to_str().unwrap(), "INDEX").replace(self.0.to_str().unwrap(), "FOLDER")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const A: &str = "model-00001-of-00002.safetensors";
const B: &str = "model-00002-of-00002.safetensors";

fn index() -> String {
    format!(
        r#"{{"metadata": {{"total_size": 72}}, "weight_map": {{
            "first.weight": "{A}", "second.bias": "{A}", "first.bias": "{B}", "second.weight": "{B}"}}}}"#
    )
}

fn whole(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.shard(A, &["first.weight", "second.bias"]);
    folder.shard(B, &["first.bias", "second.weight"]);
    folder
}

#[test]
fn shards_are_one_file() {
    let folder = whole("whole");
    let mut net = Net::new(1);
    net.load(folder.index(&index())).unwrap();
    assert_eq!(net.weights(), Net::new(3).weights());
    let renamed =
        Loading::new().rename(|name| name.replace("second", "third")).rename(|name| name.replace("third", "second"));
    let mut net = Net::new(1);
    assert!(net.load_with(folder.index(&index()), &renamed).unwrap().is_complete());
    assert_eq!(net.weights(), Net::new(3).weights());
}

#[test]
fn a_problem_with_a_tensor_names_its_shard() {
    network! { Other<3> { first: linear<2>, relu, third: linear<5> } }
    let folder = whole("other");
    let path = folder.index(&index());
    let text = Other::new(1).load(&path).unwrap_err().to_string();
    assert_eq!(
        text.replace(path.to_str().unwrap(), "INDEX"),
        format!(
            "INDEX: tensor third.weight is missing: expected [5, 2]\n  \
             tensor third.bias is missing: expected [5]; did you mean first.bias?\n  \
             {A}: tensor second.bias is not in the network\n  {B}: tensor second.weight is not in the network"
        )
        .replace("; did you mean first.bias?", "")
    );
    network! { Wider<3> { first: linear<3>, relu, second: linear<4> } }
    let report = Wider::new(1).load_with(&path, &Loading::new().strict(false)).unwrap();
    assert_eq!(report.of_another_shape().collect::<Vec<_>>(), ["first.weight", "first.bias", "second.weight"]);
    assert!(
        report.to_string().starts_with(&format!("{A}: tensor first.weight: expected [3, 3], found [2, 3]")),
        "{report}"
    );
    assert!(matches!(&report.problems[1], WeightsProblem::Shard { shard, .. } if shard == B));
}

#[test]
fn index_and_shards_say_the_same() {
    let folder = whole("unequal");
    let text = folder.refused(&index().replace(r#""first.bias": "#, r#""first.bios": "#));
    assert_eq!(
        text,
        format!(
            "INDEX: {B}: tensor first.bias: expected a name of the index, found one that it lacks\n  \
             {B}: tensor first.bios: expected it here, as the index says, found none of this name"
        )
    );
    let text = folder.refused(&index().replace(&format!(r#""first.bias": "{B}""#), &format!(r#""first.bias": "{A}""#)));
    assert_eq!(
        text,
        format!(
            "INDEX: {B}: tensor first.bias: expected it in {A} alone, found it here, too\n  \
             {A}: tensor first.bias: expected it here, as the index says, found none of this name"
        )
    );
    folder.shard(B, &["first.bias", "second.weight", "second.bias"]);
    let text = folder.refused(&index());
    assert_eq!(text, format!("INDEX: {B}: tensor second.bias: expected it in {A} alone, found it here, too"));
    fs::remove_file(folder.0.join(B)).unwrap();
    assert!(folder.refused(&index()).starts_with(&format!("FOLDER/{B}: No such file")));
    fs::write(folder.0.join(B), b"PK\x03\x04 and more").unwrap();
    assert!(folder.refused(&index()).starts_with(&format!("FOLDER/{B}: not a safetensors file")));
}

#[test]
fn shards_are_beside_their_index() {
    let folder = whole("outside");
    for shard in ["../x", "/etc/passwd", "", ".", "a/../../x", "a/.."] {
        let text = folder.refused(&index().replace(B, shard));
        let expected =
            format!("INDEX: broken index of shards: expected a file beside the index, found \"{shard}\" at line");
        assert!(text.starts_with(&expected), "{text}");
    }
    let error = Net::new(1).load_from_bytes(index().as_bytes(), &Loading::new()).unwrap_err();
    assert_eq!(error.to_string(), "bytes in memory: broken index of shards: its shards are files; load it by its path");
}

#[test]
fn a_broken_index_is_told_by_its_place() {
    let folder = whole("broken");
    for (index, text) in [
        (r#"{"metadata": {}}"#.to_owned(), "expected a weight_map, found none"),
        (r#"{"weight_map": 1}   "#.to_owned(), "expected names of files by names of tensors as its weight_map"),
        (r#"{"weight_map": {}, "weight_map": {}}"#.to_owned(), "expected one weight_map, found two"),
        (index().replace("second.bias", "first.weight"), "expected tensor first.weight once, found it twice"),
        (index().replace(r#": "model-00001"#, r#": 1, "model-00001"#), "expected the name of a file"),
        (index() + "x", "trailing characters at line"),
        ("[".repeat(100_000).replacen('[', "{\"a\":", 1), "EOF while parsing a list"),
    ] {
        let refused = folder.refused(&index);
        assert!(refused.starts_with("INDEX: broken index of shards: ") && refused.contains(text), "{refused}");
    }
    let bytes = [index().as_bytes(), b"\xff"].concat();
    let path = folder.0.join("bytes.index.json");
    fs::write(&path, bytes).unwrap();
    assert!(Net::new(1).load(&path).unwrap_err().to_string().contains("broken index of shards: invalid utf-8"));
}

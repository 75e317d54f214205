//! The Rust of the README, as one program: it compiles, and runs.

use std::fs;
use std::path::Path;

const USE: &str = "use cnn_core::prelude::*;\n";

#[test]
fn the_code_of_the_readme_is_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<_> = text.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 3, "the README declares a network, trains it, and shows branches");
    assert!(blocks.iter().all(|block| block.starts_with(USE)), "each block says what it uses");
    let code: String = blocks.iter().map(|block| block.replacen(USE, "", 1)).collect();
    let main = "fn main() {
        assert!(train(&[0.5; 2 * 784], &[3, 7]).is_ok());
        let output = Detector::new(0).forward(&Batch::zeros(1));
        assert_eq!(Detector::heads(output.samples()).boxes.len(), 1);
        std::fs::remove_file(\"lenet5.safetensors\").unwrap();
        tell(&LeNet5::new(0), &[2.3, 1.0], &Tensor::zeros()).unwrap();
        std::fs::remove_file(\"lenet5.html\").unwrap();
        std::fs::remove_dir_all(\"runs\").unwrap();
    }";
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme.rs");
    fs::write(&file, format!("{USE}{code}\n{main}\n")).unwrap();
    trybuild::TestCases::new().pass(file);
}

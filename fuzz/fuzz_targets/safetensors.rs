//! Files of weights: any bytes, and a good file with some of its bytes replaced. No file makes a reader panic, and one that
//! is refused changes nothing.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use cnn_core::io::Loading;
use cnn_core::prelude::*;
use cnn_fuzz::Edits;
use libfuzzer_sys::fuzz_target;

network! {
    /// A tensor of every kind that files have.
    pub Small<2, 4, 4> { conv: conv2d<3, 3>, norm: batch_norm2d, prelu, flatten, fc: linear<2> }
}

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cnn-fuzz-{}-{name}.safetensors", std::process::id()))
}

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = path("good");
    Small::new(1).save_safetensors(&path).expect("a file can be written");
    let bytes = fs::read(&path).expect("and read");
    fs::remove_file(&path).expect("and removed");
    bytes
});

/// The file of each run, in one place.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| path("any"));

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let file = if how % 4 == 0 { bytes.to_vec() } else { Edits::new(bytes).of(&GOOD) };
    fs::write(&*FILE, file).expect("a file can be written");
    let mut net = Small::new(2);
    if let Err(error) = net.load_safetensors(&*FILE) {
        assert_eq!(net.weights(), Small::new(2).weights(), "{error}");
        let message = error.to_string();
        assert!(message.len() < 1 << 20, "{} bytes of message", message.len());
    }
    match net.load_with(&*FILE, &Loading::new().strict(false)) {
        Ok(report) => assert!(report.to_string().len() < 1 << 20),
        Err(error) => assert!(error.to_string().len() < 1 << 20),
    }
});

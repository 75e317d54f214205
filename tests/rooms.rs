//! Reads the sources and holds what `ARCHITECTURE.md` says of the rooms: who may know whom, and where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of cnn-core, and the rooms that it may mention.
const ROOMS: &[(&str, &[&str])] = &[
    ("shape", &[]),
    ("random", &[]),
    ("metric", &[]),
    ("kernel", &["shape"]),
    ("reference", &["shape", "kernel"]),
    ("optim", &["kernel"]),
    ("data", &["random"]),
    ("error", &["shape", "metric", "optim", "data"]),
    ("tensor", &["error", "shape", "kernel"]),
    ("loss", &["error", "shape", "tensor"]),
    ("layer", &["error", "shape", "random", "kernel", "tensor"]),
    ("network", &["error", "shape", "random", "kernel", "optim", "tensor", "layer"]),
    ("io", &["error", "layer", "network"]),
    ("train", &["error", "shape", "kernel", "optim", "tensor", "loss", "layer", "network"]),
];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// The code of a source: no comments, no tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("cnn-core/src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The words behind `crate::` and `crate::{`.
fn mentioned(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            // One level: `crate::{a, b}`; rustfmt with its defaults writes no deeper trees here.
            Some(list) => list.split('}').next().unwrap(),
            None => rest,
        };
        let names = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for name in names {
            let word: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            words.push(if word == "Error" { "error".to_owned() } else { word });
        }
    }
    words
}

#[test]
fn no_room_mentions_one_above_it() {
    for (path, text) in sources("cnn-core/src") {
        let room = room(&path);
        if room == "lib" {
            continue;
        }
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} has no rule"));
        for word in mentioned(&code(&text)) {
            assert!(
                word == room || allowed.contains(&word.as_str()),
                "{}: the room `{room}` may not know `{word}`",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_stands_in_the_kernel_alone() {
    for (path, text) in sources("cnn-core/src").into_iter().chain(sources("cnn-macros/src")) {
        if !path.components().any(|part| part.as_os_str() == "kernel") {
            for keyword in ["unsafe {", "unsafe fn", "unsafe impl"] {
                assert!(!code(&text).contains(keyword), "{}: {keyword}", path.display());
            }
        }
    }
}

#[test]
fn the_rule_has_one_home_in_each_crate() {
    for (path, text) in sources("cnn-core/src").into_iter().chain(sources("cnn-macros/src")) {
        if path.file_name().is_some_and(|name| name != "window.rs") {
            let code = code(&text).replace(' ', "");
            assert!(!code.contains("/stride+1") && !code.contains("/self.stride+1"), "{}", path.display());
        }
    }
}

#[test]
fn the_kernel_knows_no_types_of_numbers() {
    for (path, text) in sources("cnn-core/src/kernel") {
        assert!(!code(&text).contains("typenum"), "{}", path.display());
    }
}

#[test]
fn the_macro_names_layers_in_its_table_alone() {
    for (path, text) in sources("cnn-macros/src") {
        if path.ends_with("ast.rs") || path.ends_with("window.rs") {
            let code = code(&text);
            for layer in ["conv2d", "max_pool2d", "linear", "softmax", "dropout"] {
                // As a name to compare with; examples in messages may show a layer.
                assert!(!code.contains(&format!("\"{layer}\"")), "{}: {layer}", path.display());
            }
        }
    }
}

//! Reads the sources and holds what `ARCHITECTURE.md` says of the rooms: who may know whom, and where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of cnn-core, and the rooms that it may mention.
const ROOMS: &[(&str, &[&str])] = &[
    ("shape", &[]),
    ("random", &[]),
    ("metric", &[]),
    ("recipes", &[]),
    ("snapshot", &[]),
    ("history", &["snapshot"]),
    ("kernel", &["shape"]),
    ("reference", &["shape", "kernel"]),
    ("optim", &["kernel", "snapshot"]),
    ("error", &["shape", "metric", "optim", "snapshot"]),
    ("tensor", &["error", "shape", "kernel"]),
    ("loss", &["error", "shape", "kernel", "tensor"]),
    ("data", &["error", "shape", "random", "tensor", "loss"]),
    ("layer", &["error", "shape", "random", "kernel", "tensor"]),
    ("network", &["error", "shape", "random", "kernel", "optim", "snapshot", "tensor", "layer"]),
    ("io", &["error", "layer", "network", "snapshot"]),
    (
        "fit",
        &[
            "error", "shape", "data", "history", "io", "layer", "loss", "metric", "network", "optim", "snapshot",
            "tensor", "train",
        ],
    ),
    ("mpi", &["error", "train"]),
    ("report", &["error", "shape", "history", "metric", "tensor", "layer", "network", "io"]),
    ("train", &["error", "shape", "kernel", "optim", "snapshot", "tensor", "loss", "layer", "network"]),
];

/// Each floor of the kernel, and the floors that it may mention. The layers' floors know none of one another.
const FLOORS: &[(&str, &[&str])] = &[
    ("geometry", &[]),
    ("isa", &[]),
    ("finish", &["geometry", "isa"]),
    ("memory", &[]),
    ("rows", &["geometry", "isa", "finish", "memory"]),
    ("tile", &["geometry", "isa", "finish"]),
    ("convolution", &["geometry", "isa", "finish", "memory", "rows", "tile"]),
    ("pooling", &["geometry", "isa", "finish", "memory", "rows"]),
    ("normalization", &["geometry", "isa", "finish", "memory", "rows"]),
    ("product", &["geometry", "isa", "finish", "memory", "tile"]),
    ("pointwise", &["geometry", "isa", "finish", "memory", "rows"]),
    ("resampling", &["geometry", "isa", "finish", "memory", "rows"]),
];

/// Each stage of the macro, and what it may mention.
const STAGES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("size", &[]),
    ("span", &[]),
    ("window", &[]),
    ("expression", &[]),
    ("parse", &["error"]),
    ("layers", &["size", "window"]),
    ("plan", &["expression", "layers", "size"]),
    ("settle", &["error", "expression", "layers", "parse", "plan", "size", "span"]),
    ("write", &["expression", "layers", "parse", "plan", "size", "span"]),
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

/// The first part of the path of a source below a folder.
fn below(folder: &str, path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The words behind a path and those in the braces behind it: `crate::a`, `crate::{b, c}`.
fn mentioned(code: &str, path: &str) -> Vec<String> {
    let mut words = Vec::new();
    for rest in code.split(path).skip(1) {
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

/// Holds that sources in a folder mention, behind a path, only what the table allows the room that they are in.
fn hold(folder: &str, path: &str, table: &[(&str, &[&str])], not_held: &[&str]) {
    for (source, text) in sources(folder) {
        let room = below(folder, &source);
        if not_held.contains(&room.as_str()) {
            continue;
        }
        let (_, allowed) = table.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} has no rule"));
        for word in mentioned(&code(&text), path) {
            let word =
                if ["Write", "FusedActivation", "Then"].contains(&word.as_str()) { "finish".to_owned() } else { word };
            assert!(
                word == room || allowed.contains(&word.as_str()),
                "{}: `{room}` may not know `{word}`",
                source.display()
            );
        }
    }
}

#[test]
fn no_room_mentions_one_above_it() {
    hold("cnn-core/src", "crate::", ROOMS, &["lib"]);
}

#[test]
fn no_floor_of_the_kernel_mentions_one_above_it() {
    hold("cnn-core/src/kernel", "crate::kernel::", FLOORS, &["mod"]);
}

#[test]
fn no_stage_of_the_macro_mentions_a_later_one() {
    hold("cnn-macros/src", "crate::", STAGES, &["lib", "tests"]);
}

#[test]
fn no_algorithm_of_a_convolution_knows_another() {
    let algorithms = ["depthwise", "direct", "scatter", "weight_gradient", "widen"];
    for (path, text) in sources("cnn-core/src/kernel/convolution") {
        let own = below("cnn-core/src/kernel/convolution", &path);
        let words = mentioned(&code(&text), "super::");
        if algorithms.contains(&own.as_str()) {
            let other = words.iter().find(|word| **word != own && algorithms.contains(&word.as_str()));
            assert_eq!(other, None, "{}", path.display());
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
fn what_is_done_to_pictures_knows_neither_files_nor_batches() {
    let of_all = ["std::fs", "crate::tensor", "crate::loss", "Batch<", "Loader"];
    for (folder, banned) in [("picture", &["Draw", "Stream", "crate::random"][..]), ("transform", &["crate::random"])] {
        for (path, text) in sources(&format!("cnn-core/src/data/{folder}")) {
            let code = code(&text);
            let found = of_all.iter().chain(banned).find(|word| code.contains(**word));
            assert_eq!(found, None, "{}", path.display());
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
        if below("cnn-macros/src", &path) == "parse" || path.ends_with("window.rs") {
            let code = code(&text);
            for layer in ["conv2d", "max_pool2d", "linear", "softmax", "dropout"] {
                // As a name to compare with; examples in messages may show a layer.
                assert!(!code.contains(&format!("\"{layer}\"")), "{}: {layer}", path.display());
            }
        }
    }
}

#!/usr/bin/env bash
# What a network costs to build: clean and touched release builds of a program that trains LeNet-5, the same after its
# dependencies of programs that train networks of the gallery, and `cargo check` of some and of 200 layers after a touch.
# Wall seconds, the median of five where a build is repeated.
#
#     benches/compile_time.sh
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target

seconds() { # COMMAND...: wall seconds
    local start end
    start=$(date +%s.%N)
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    end=$(date +%s.%N)
    awk "BEGIN { printf \"%.2f\\n\", $end - $start }"
}

median_after_touch() { # COMMAND...: the median of five, each after a touch of the program
    for _ in 1 2 3 4 5; do
        touch "$work/program/src/"*.rs
        seconds "$@"
    done | sort -n | sed -n 3p
}

gallery() { # FILE TYPE CLASSES: makes it a program that trains this network of the gallery
    cp "$repository/examples/networks/$1.rs" src/network.rs
    cat >src/main.rs <<EOF
use cnn_core::prelude::*;

mod network;

use network::$2 as Net;

fn main() -> Result<(), Error> {
    let mut net = Net::new(0);
    let mut training = Training::new(0);
    let mut optimizer = Sgd::new(SgdOptions::new(0.05).momentum(0.9))?;
    let images = Batch::from_nchw(&[0.5; 2 * 3 * 224 * 224])?;
    let labels = Labels::<$3>::new(&[0_u8, 1])?;
    let loss = training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
    optimizer.step(&mut net, training.gradients());
    println!("{loss}");
    Ok(())
}
EOF
}

mkdir -p "$work/program/src"
cat >"$work/program/Cargo.toml" <<EOF
[package]
name = "program"
version = "0.1.0"
edition = "2024"

[dependencies]
cnn-core = { path = "$repository/cnn-core" }

[workspace]
EOF
cat >"$work/program/src/main.rs" <<'EOF'
use cnn_core::prelude::*;

network! {
    /// LeNet-5.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
        conv2: conv2d<16, 5>, relu, max_pool2d<2>,
        flatten, fc1: linear<120>, relu, fc2: linear<84>, relu, fc3: linear<10>,
    }
}

fn main() -> Result<(), Error> {
    let mut net = LeNet5::new(0);
    let mut training = Training::new(0);
    let mut optimizer = Sgd::new(SgdOptions::new(0.05).momentum(0.9))?;
    let images = Batch::from_nchw(&[0.5; 8 * 784])?;
    let labels = Labels::new(&[0_u8, 1, 2, 3, 4, 5, 6, 7])?;
    for _ in 0..3 {
        let loss = training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
        optimizer.step(&mut net, training.gradients());
        println!("{loss}");
    }
    Ok(())
}
EOF
cd "$work/program"
cargo fetch >/dev/null 2>&1
echo "packages: $(cargo tree --edges normal,build --prefix none | sed 's/ (\*)//' | sort -u | wc -l)"
echo "clean release build: $(seconds cargo build --release) s"
echo "release build after a touch: $(median_after_touch cargo build --release) s"
cargo check >/dev/null 2>&1
echo "check of LeNet-5 after a touch: $(median_after_touch cargo check) s"

{
    echo 'use cnn_core::prelude::*;'
    echo 'network! { /// 200 layers.
        pub Deep<3, 224, 224> {'
    for block in $(seq 0 49); do
        stride=$((block % 10 == 0 ? 2 : 1))
        echo "conv$block: conv2d<$((16 + block)), 3>(stride = $stride, padding = 1), relu,"
        echo "max_pool2d<3>(stride = 1, padding = 1), dropout(p = 0.1),"
    done
    echo '} }'
    echo 'fn main() { Deep::summary(); }'
} >src/main.rs
cargo check >/dev/null 2>&1 || { cargo check; exit 1; }
echo "check of 200 layers after a touch: $(median_after_touch cargo check) s"

for network in "resnet18 ResNet18" "resnet50 ResNet50" "densenet121 DenseNet121"; do
    read -r file type <<<"$network"
    gallery "$file" "$type" 1000
    cargo check >/dev/null 2>&1 || { cargo check; exit 1; }
    echo "check of $type after a touch: $(median_after_touch cargo check) s"
    touch src/*.rs
    echo "release build of a program that trains $type, after its dependencies: $(seconds cargo build --release) s"
done

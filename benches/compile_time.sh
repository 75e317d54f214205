#!/usr/bin/env bash
# What a network costs to build: clean release builds of a program that trains LeNet-5, in turn with those of one that trains
# LeNet-5's linear layers in dfdx (whose convolutions need a nightly compiler); builds after a touch, after their dependencies
# of programs that train networks of the gallery, and `cargo check` of some and of 200 layers after a touch. Wall seconds, the
# median of three clean builds and of five others.
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

clean() { # FOLDER: one clean release build
    rm -rf "$work/clean"
    (cd "$1" && CARGO_TARGET_DIR=$work/clean seconds cargo build --release)
}

gallery() { # FILE TYPE: makes it a program that trains this network of the gallery
    cp "$repository/examples/networks/$1.rs" src/network.rs
    cat >src/main.rs <<EOF
use cnn_core::prelude::*;

mod network;

use network::$2 as Net;

fn main() -> Result<(), Error> {
    let mut net = Net::new(0);
    let mut training = Training::new(0);
    let mut optimizer = Sgd::new(SgdOptions::new(0.05).momentum(0.9))?;
    let (images, targets) = (Batch::zeros(2), Batch::zeros(2));
    let loss = training.backward(Mode::Training, &mut net, &images, &MeanSquaredError::new(&targets))?;
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
mkdir -p "$work/dfdx/src"
sed "s/^cnn-core = .*/dfdx = \"0.13\"/" Cargo.toml >"$work/dfdx/Cargo.toml"
cat >"$work/dfdx/src/main.rs" <<'EOF'
use dfdx::optim::{Momentum, Sgd, SgdConfig};
use dfdx::prelude::*;

type Net = (Linear<784, 120>, ReLU, Linear<120, 84>, ReLU, Linear<84, 10>);

fn main() {
    let device = AutoDevice::default();
    let mut net = device.build_module::<Net, f32>();
    let mut gradients = net.alloc_grads();
    let config = SgdConfig { lr: 0.05, momentum: Some(Momentum::Classic(0.9)), weight_decay: None };
    let mut optimizer = Sgd::new(&net, config);
    let images: Tensor<Rank2<8, 784>, f32, _> = device.sample_normal();
    let truth: Tensor<Rank2<8, 10>, f32, _> = device.ones();
    for _ in 0..3 {
        let loss = cross_entropy_with_logits_loss(net.forward_mut(images.clone().trace(gradients)), truth.clone() / 10.0);
        println!("{}", loss.array());
        gradients = loss.backward();
        optimizer.update(&mut net, &gradients).expect("all parameters have a gradient");
        net.zero_grads(&mut gradients);
    }
}
EOF
(cd "$work/dfdx" && cargo fetch >/dev/null 2>&1)
for _ in 1 2 3; do
    clean . >>"$work/ours"
    clean "$work/dfdx" >>"$work/theirs"
done
ours=$(sort -n "$work/ours" | sed -n 2p)
theirs=$(sort -n "$work/theirs" | sed -n 2p)
echo "clean release build: $ours s; of dfdx: $theirs s; $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }") of it"
cargo build --release >/dev/null 2>&1
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

echo 'fn main() {}' >src/main.rs
cargo check >/dev/null 2>&1
echo "check of nothing after a touch: $(median_after_touch cargo check) s"

for network in "resnet18 ResNet18" "resnet50 ResNet50" "densenet121 DenseNet121" \
    "detector Detector" "efficientnet_b0 EfficientNetB0" "convnext_tiny ConvNeXtTiny"; do
    read -r file type <<<"$network"
    gallery "$file" "$type"
    cargo check >/dev/null 2>&1 || { cargo check; exit 1; }
    echo "check of $type after a touch: $(median_after_touch cargo check) s"
    touch src/*.rs
    echo "release build of a program that trains $type, after its dependencies: $(seconds cargo build --release) s"
done

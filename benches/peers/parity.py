"""Compares cnn-core with PyTorch on outputs, loss and every gradient, from equal weights.

    cargo build --release --example interop
    python benches/peers/parity.py target/release/examples/interop

PyTorch computes in f64, so that the errors shown are those of our f32. An error is relative to the greatest value of its
tensor. Exits with 1 if one is beyond 1e-4 (output and loss) or 1e-3 (gradients), or if a tensor is missing or left over.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from networks import NETWORKS

OUTPUT_TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 1e-3


def expected_tensors(network, images, labels):
    network = network.double()
    output = network(images.double())
    loss = nn.CrossEntropyLoss()(output, labels)
    loss.backward()
    tensors = {"output": output.detach(), "loss": loss.detach()}
    for name, parameter in network.named_parameters():
        tensors[f"gradient.{name}"] = parameter.grad
    return tensors


def relative_error(found, expected):
    if found.numel() != expected.numel() or (expected.dim() > 0 and found.shape != expected.shape):
        raise SystemExit(f"expected the shape {list(expected.shape)}, found {list(found.shape)}")
    difference = (found.double().flatten() - expected.flatten()).abs().max()
    return (difference / expected.abs().max().clamp_min(1e-30)).item()


def compare(title, found, expected):
    if found.keys() != expected.keys():
        print(f"{title}: expected {sorted(expected)}, found {sorted(found)}")
        return False
    good = True
    for name, tensor in expected.items():
        tolerance = GRADIENT_TOLERANCE if name.startswith("gradient.") else OUTPUT_TOLERANCE
        error = relative_error(found[name], tensor)
        within = error <= tolerance  # false for NaN
        good &= within
        print(f"{title:<28} {name:<24} {error:.1e}{'' if within else f'  beyond {tolerance:.0e}'}")
    return good


def check(interop, name, batch, seed):
    build, shape, classes = NETWORKS[name]
    torch.manual_seed(seed)
    network = build()
    images = torch.randn(batch, *shape)
    labels = torch.randint(classes, (batch,))
    with tempfile.TemporaryDirectory() as folder:
        weights, inputs, outputs = (pathlib.Path(folder, f"{part}.safetensors") for part in ("W", "X", "Y"))
        save_file(network.state_dict(), weights)
        save_file({"input": images, "labels": labels}, inputs)
        expected = expected_tensors(network, images, labels)
        good = True
        for arguments in (["forward"], ["gradient"], ["gradient", "--train"]):
            command = [interop, name, arguments[0], "--weights", weights, "--input", inputs, "--output", outputs]
            subprocess.run(command + arguments[1:], check=True)
            wanted = expected if arguments[0] == "gradient" else {"output": expected["output"]}
            good &= compare(f"{name} {' '.join(arguments)}", load_file(outputs), wanted)
            outputs.unlink()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interop", help="the built example `interop`")
    parser.add_argument("--network", choices=NETWORKS, action="append", help="only this one; default: all")
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.network or list(NETWORKS)
    results = [check(arguments.interop, name, arguments.batch, arguments.seed) for name in names]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()

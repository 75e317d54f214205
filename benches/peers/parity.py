"""Compares cnn-core with PyTorch on outputs, loss, every gradient and the running statistics, from equal weights.

    cargo build --release --example interop
    python benches/peers/parity.py target/release/examples/interop

PyTorch computes in f64, so that the errors shown are those of f32; beside ours stand those of PyTorch in f32. An error is
relative to the greatest value of its tensor, and of each kind of tensors the worst is shown. In training mode PyTorch's
dropout keeps what ours kept: no layer is left out.

The slope of a rectifier jumps, and a max pooling gives its gradient to one of two values that may be nearly equal. Where f32
has such values the other way round than f64, gradients differ by more than any rounding, PyTorch's in f32 as well as ours:
GoogLeNet's by some percent, with three windows of 2.8 million. So the weights are such that no value is that close,
see `margins.py`: then every gradient has to agree.

Exits with 1 if an error is beyond 1e-4 (output and loss), 1e-3 (gradients) or 1e-5 (running statistics), or if a tensor or a
map's sizes are missing, left over, or another's.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from torch import nn
from safetensors.torch import load_file, save_file

from expected import expected_tensors, randomize, relative_errors
from margins import keep_margins
from networks import NETWORKS

TOLERANCES = {"output": 1e-4, "loss": 1e-4, "gradient": 1e-3, "state": 1e-5}


def kind(name):
    return name.split(".")[0]


def compare(title, found, expected, peer, verbose):
    """Prints the worst error of each kind, and returns whether all are within their tolerances; `peer` is PyTorch in f32."""
    if found.keys() != expected.keys():
        missing, left_over = expected.keys() - found.keys(), found.keys() - expected.keys()
        raise SystemExit(f"{title}: missing {sorted(missing)}, left over {sorted(left_over)}")
    errors, peer_errors = relative_errors(found, expected), relative_errors(peer, expected)
    good = True
    for each, tolerance in TOLERANCES.items():
        names = [name for name in expected if kind(name) == each]
        # false for NaN too
        beyond = [name for name in names if not errors[name] <= tolerance]
        for name in names if verbose else sorted(names, key=errors.get)[-1:]:
            peer_error = peer_errors[name] if verbose else max(peer_errors[name] for name in names)
            note = f"  {len(beyond)} of {len(names)} beyond {tolerance:.0e}" if beyond else ""
            print(f"{title:<30} {errors[name]:.1e}  (PyTorch {peer_error:.1e})  {name}{note}", flush=True)
        good &= not beyond
    return good


def compare_maps(interop, name, network, images):
    """Whether each of our steps has the map of PyTorch's module of the same name, and no module with weights lacks one."""
    lines = subprocess.run([interop, name, "steps"], check=True, capture_output=True, text=True).stdout.splitlines()
    maps = {}  # of a sequence it is the map of the last step in it
    for path, _, sizes in (line.split("\t") for line in lines):
        parts = path.split(".")
        for end in range(1, len(parts) + 1):
            maps[".".join(parts[:end])] = json.loads(sizes)

    expected = {}

    def note(name, output):
        # Of several outputs each has a map.
        if isinstance(output, torch.Tensor):
            # ConvNeXt's have channels last there.
            is_last = output.dim() == 4 and type(network.get_submodule(name)) in (nn.Linear, nn.LayerNorm, nn.GELU)
            sizes = list((output.movedim(-1, 1) if is_last else output).shape[1:])
            # A transformer's tokens are the rows there, the columns of one row here.
            expected[name] = [sizes[1], 1, sizes[0]] if output.dim() == 3 else sizes

    hooks = [
        module.register_forward_hook(lambda _m, _i, output, name=name: note(name, output))
        for name, module in network.named_modules()
        # A DenseNet's layer is a function of a list there, and has what it adds; ours has all that there is then.
        if name and type(module).__name__ != "_DenseLayer"
    ]
    with torch.no_grad():
        network.eval()(images)
    for hook in hooks:
        hook.remove()

    weighty = {module for module in expected if list(network.get_submodule(module).parameters())}
    missing = sorted(weighty - maps.keys())
    wrong = [module for module in expected.keys() & maps.keys() if maps[module] != expected[module]]
    print(f"{name + ' maps':<30} {len(expected.keys() & maps.keys())} compared")
    if missing:
        print(f"{name + ' maps':<30} missing: {', '.join(missing)}")
    for module in sorted(wrong):
        print(f"{name + ' maps':<30} {module}: expected {expected[module]}, found {maps[module]}")
    return not missing and not wrong


def check(interop, name, batch, seed, verbose):
    entry = NETWORKS[name]
    torch.manual_seed(seed)
    network = entry.build()
    images, truth = entry.batch(batch)
    randomize(network, images, entry.lean)
    changed = keep_margins(network, images)
    print(f"{name:<30} {changed} small changes of the weights keep values away from kinks", flush=True)
    cases = [["forward"], ["gradient"], ["gradient", "--train"]]
    results = [check_case(interop, name, case, network, images, truth, verbose) for case in cases]
    return all([compare_maps(interop, name, network, images), *results])


def check_case(interop, name, case, network, images, truth, verbose):
    with tempfile.TemporaryDirectory() as folder:
        weights, inputs, outputs = (pathlib.Path(folder, f"{part}.safetensors") for part in ("W", "X", "Y"))
        save_file(network.state_dict(), weights)
        save_file({"input": images, "targets" if truth.is_floating_point() else "labels": truth}, inputs)
        command = [interop, name, case[0], "--weights", weights, "--input", inputs, "--output", outputs]
        subprocess.run(command + case[1:], check=True)
        found = load_file(outputs)
    prefix = "kept."
    kept = {each.removeprefix(prefix): found.pop(each) for each in list(found) if each.startswith(prefix)}
    expected, peer = (
        expected_tensors(network, images, truth, NETWORKS[name].loss, "--train" in case, kept, dtype)
        for dtype in (torch.float64, torch.float32)
    )
    if case[0] == "forward":
        expected = {"output": expected["output"]}
    return compare(f"{name} {' '.join(case)}", found, expected, peer, verbose)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interop", help="the built example `interop`")
    parser.add_argument("--network", choices=NETWORKS, action="append", help="only this one; default: all")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="a line for every tensor")
    arguments = parser.parse_args()
    names = arguments.network or list(NETWORKS)
    results = [check(arguments.interop, name, arguments.batch, arguments.seed, arguments.verbose) for name in names]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()

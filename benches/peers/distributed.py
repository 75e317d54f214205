"""Compares training on two processes with PyTorch's DistributedDataParallel over gloo: 20 steps of SGD with momentum from equal weights, on the
same samples, each process with half of them.

    cargo build --release --features mpi --example distributed
    python benches/peers/distributed.py target/release/examples/distributed [network ...]

Prints the greatest differences of the losses and of the weights in the end, relative to the greatest value of each tensor. A network
with batch normalizations is also compared with synchronized ones, with PyTorch on one process, which normalizes over the whole batch as
they do (PyTorch's own SyncBatchNorm takes a GPU). Beside them stands what rounding alone makes of the same steps: PyTorch's own
difference from itself, on one process instead of two, or with the samples of the batch in another order where it normalizes.
Exits with 1 if a loss differs by more than ten times what rounding makes, and more than 1e-4, or a weight, and more than 1e-3.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from networks import NETWORKS

STEPS = 20
BATCH = 16


def train(rank, processes, name, folder, order=None):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
    torch.set_num_threads(1)
    if processes > 1:
        dist.init_process_group("gloo", rank=rank, world_size=processes)
    model = NETWORKS[name].build()
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    model.train()
    wrapped = DistributedDataParallel(model) if processes > 1 else model
    samples = load_file(folder / "input.safetensors")
    part = slice(rank * BATCH // processes, (rank + 1) * BATCH // processes)
    images, labels = samples["input"][part], samples["labels"][part]
    if order is not None:
        images, labels = images[order], labels[order]
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(wrapped(images), labels)
        loss.backward()
        optimizer.step()
        whole = loss.detach().clone()
        if processes > 1:
            dist.all_reduce(whole)
        losses.append(whole.item() / processes)
    if rank == 0:
        made = f"{processes}{'' if order is None else 'turned'}"
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / f"torch{made}.safetensors")
        torch.save(losses, folder / f"losses{made}.pt")
    if processes > 1:
        dist.destroy_process_group()


def differences(found, expected):
    scale = lambda tensor: max(tensor.abs().max().item(), 1e-6)
    return {name: (found[name] - expected[name]).abs().max().item() / scale(expected[name]) for name in expected}


def compare(program, name):
    network = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.manual_seed(1)
        model = network.build()
        has_norms = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "weights.safetensors")
        images = torch.randn(BATCH, *network.image)
        labels = torch.randint(0, 10, (BATCH,))
        save_file({"input": images, "labels": labels}, folder / "input.safetensors")
        mp.spawn(train, (2, name, folder), nprocs=2)
        train(0, 1, name, folder)
        # Each process has half of the samples: those of a half in another order are the same step, but for rounding.
        halves = torch.arange(BATCH).reshape(2, -1).flip(1)
        if has_norms:
            mp.spawn(train, (2, name, folder, halves[0]), nprocs=2)
            train(0, 1, name, folder, halves.flatten())
        cases = [("", [], "2", "2turned" if has_norms else "1")]
        if has_norms:
            cases += [("synchronized", ["--sync-batch-norm"], "1", "1turned")]
        return all([compare_case(program, name, folder, *case) for case in cases])


def compare_case(program, name, folder, what, options, expected, other):
    command = ["mpirun", "--oversubscribe", "-n", "2", program, "--network", name, "--shards", "2", "--steps", str(STEPS)]
    run = folder / f"run{what}"
    command += ["--weights", folder / "weights.safetensors", "--input", folder / "input.safetensors", "--folder", run]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    output = subprocess.run(command + options, check=True, capture_output=True, text=True, env=os.environ | root).stdout
    losses = torch.tensor([float(loss) for loss in re.findall(r"loss ([0-9.]+),", output)])
    of_peer, of_other = (torch.tensor(torch.load(folder / f"losses{made}.pt")) for made in (expected, other))
    run = load_file(run / "last.safetensors")
    peer, turned = (load_file(folder / f"torch{made}.safetensors") for made in (expected, other))
    trained = [key for key, _ in NETWORKS[name].build().named_parameters()]
    ours = differences({key: run[f"model.{key}"] for key in trained}, {key: peer[key] for key in trained})
    rounding = differences({key: turned[key] for key in trained}, {key: peer[key] for key in trained})
    of_loss, rounding_of_loss = ((found - of_peer).abs().max().item() for found in (losses, of_other))
    worst = max(ours, key=ours.get)
    print(f"{name:<12} {what:<12} loss {of_loss:.1e}, weights {ours[worst]:.1e} ({worst}); "
          f"PyTorch to itself: loss {rounding_of_loss:.1e}, weights {max(rounding.values()):.1e}")
    return of_loss <= max(1e-4, 10 * rounding_of_loss) and ours[worst] <= max(1e-3, 10 * max(rounding.values()))


if __name__ == "__main__":
    # Not all of them at once, or short-circuited: each tells.
    names = sys.argv[2:] or ("lenet5", "vgg_cifar", "resnet18")
    sys.exit(0 if all([compare(sys.argv[1], name) for name in names]) else 1)

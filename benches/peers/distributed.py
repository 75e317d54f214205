"""Compares training on two processes with PyTorch's DistributedDataParallel over gloo: 20 steps of SGD with momentum from equal weights, on the
same samples, each process with half of them.

    cargo build --release --features mpi --example distributed
    python benches/peers/distributed.py target/release/examples/distributed

Prints the greatest differences of the losses and of the weights in the end, relative to the greatest value of each tensor; beside
them those of PyTorch on one process to PyTorch on two, which is what rounding alone makes of the same steps. Exits with 1 if a loss
differs by more than 1e-4, or a weight by more than ten times what rounding makes, and more than 1e-3.
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


def train(rank, processes, name, folder):
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
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / f"torch{processes}.safetensors")
        torch.save(losses, folder / f"losses{processes}.pt")
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
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "weights.safetensors")
        images = torch.randn(BATCH, *network.image)
        labels = torch.randint(0, 10, (BATCH,))
        save_file({"input": images, "labels": labels}, folder / "input.safetensors")
        mp.spawn(train, (2, name, folder), nprocs=2)
        train(0, 1, name, folder)
        command = ["mpirun", "--oversubscribe", "-n", "2", program, "--network", name, "--shards", "2", "--steps", str(STEPS)]
        command += ["--weights", folder / "weights.safetensors", "--input", folder / "input.safetensors", "--folder", folder / "run"]
        root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | root).stdout
        losses = torch.tensor([float(loss) for loss in re.findall(r"loss ([0-9.]+),", output)])
        expected_losses = torch.tensor(torch.load(folder / "losses2.pt"))
        run = load_file(folder / "run" / "last.safetensors")
        trained = [key for key, _ in model.named_parameters()]
        found = {key: run[f"model.{key}"] for key in trained}
        two, one = (load_file(folder / f"torch{count}.safetensors") for count in (2, 1))
        ours = differences(found, {key: two[key] for key in trained})
        rounding = differences({key: one[key] for key in trained}, {key: two[key] for key in trained})
    of_loss = (losses - expected_losses).abs().max().item()
    worst = max(ours, key=ours.get)
    has_norms = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    print(f"{name:<12} loss {of_loss:.1e}, weights {ours[worst]:.1e} ({worst}); PyTorch on one process {max(rounding.values()):.1e}"
          + (" (which normalizes over the whole batch)" if has_norms else ""))
    return of_loss <= 1e-4 and ours[worst] <= max(1e-3, 0 if has_norms else 10 * rounding[worst])


if __name__ == "__main__":
    # Not all of them at once, or short-circuited: each tells.
    sys.exit(0 if all([compare(sys.argv[1], name) for name in ("lenet5", "vgg_cifar")]) else 1)

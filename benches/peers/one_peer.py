"""One peer in a process of its own, which `side_by_side.py` starts: prepares it for a network, or times it once.

The weights of all peers are those of one PyTorch network, and what a peer makes of them is compared with PyTorch before it is
timed. A timed process prints one JSON line like that of our example `bench`.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import time
from dataclasses import dataclass

import numpy as np

from runners import PEERS, runner

# A wrong network is wrong by much more; sums in another order, and Winograd's, by much less.
TOLERANCE = 1e-3
# Dropout draws anew, and a loss is a number of which each peer has a few percent its own.
LOSS_TOLERANCE = 0.05
LEAST_RUNS = 5


@dataclass(frozen=True)
class Work:
    peer: str
    network: str
    mode: str
    batch: int
    threads: int
    folder: pathlib.Path

    @property
    def common(self):
        return self.folder / f"{self.network}-{self.batch}"

    @property
    def weights(self):
        return str(self.common / "weights.pt")

    @property
    def converted(self):
        format = getattr(runner(self.peer), "FORMAT", self.peer)
        return str(self.folder / f"{self.network}-{self.batch}-{format}")

    def images(self):
        return np.load(self.common / "images.npy")

    def output(self):
        return np.load(self.common / "output.npy")

    def loss(self):
        return np.load(self.common / "loss.npy")

    def labels(self):
        from networks import NETWORKS

        return np.arange(self.batch) % NETWORKS[self.network].classes


def complete(folder, write):
    """Calls `write` with a folder that becomes `folder` when all is in it."""
    folder = pathlib.Path(folder)
    if folder.exists():
        return
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    partial.rename(folder)


def build(work):
    """The network with weights that differ from each other, and statistics that are its own: with those of a new network, a
    peer that forgot a normalization would not be noticed."""
    import torch
    from networks import NETWORKS

    torch.manual_seed(0)
    network = NETWORKS[work.network].build()
    images = torch.randn(work.batch, *NETWORKS[work.network].image)
    normalizations = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in normalizations:
        layer.momentum = 1.0
    with torch.no_grad():
        network(images)
    for layer in normalizations:
        layer.momentum = 0.1
    return network, images


def write_common(work, folder):
    import torch

    network, images = build(work)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(network(images), torch.from_numpy(work.labels()))
        output = network.eval()(images)
    for name, values in {"images": images, "output": output, "loss": loss}.items():
        np.save(folder / f"{name}.npy", values.numpy())
    torch.save(network.state_dict(), folder / "weights.pt")


def prepare(work):
    peer = runner(work.peer)
    if work.mode in peer.MODES:
        complete(work.common, lambda folder: write_common(work, folder))
        if hasattr(peer, "convert"):
            complete(work.converted, lambda folder: convert(work, peer, folder))
        if getattr(peer, "COMPILES", False):
            peer.load(work)()
    return {"name": peer.NAME, "version": peer.VERSION, "modes": sorted(peer.MODES)}


def convert(work, peer, folder):
    import torch
    from networks import NETWORKS

    network = NETWORKS[work.network].build()
    network.load_state_dict(torch.load(work.weights))
    peer.convert(network.eval(), torch.from_numpy(work.images()), str(folder))


def check(work, result):
    expected, tolerance = (work.loss(), LOSS_TOLERANCE) if work.mode == "train" else (work.output(), TOLERANCE)
    difference = np.abs(result - expected).max() / np.abs(expected).max()
    if not difference < tolerance:
        raise SystemExit(f"it computes something else: a difference of {difference:.2g} of PyTorch's largest output")


def measure(step, seconds):
    warm = time.perf_counter()
    step()
    while time.perf_counter() - warm < seconds / 4:
        step()
    times, start = [], time.perf_counter()
    while len(times) < LEAST_RUNS or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - before))
    return {"median_ms": statistics.median(times), "min_ms": min(times), "runs": len(times)}


def timed(work, seconds):
    step = runner(work.peer).load(work)
    check(work, step())
    return measure(step, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "time"])
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--network", required=True)
    parser.add_argument("--mode", choices=["train", "infer"], required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where converted networks are kept")
    arguments = vars(parser.parse_args())
    action, seconds = arguments.pop("action"), arguments.pop("seconds")
    work = Work(**arguments)
    print(json.dumps(prepare(work) if action == "prepare" else timed(work, seconds)))


if __name__ == "__main__":
    main()

"""Times PyTorch on a network of the gallery and prints one JSON line like that of `cargo run --release --example bench`.

    python benches/peers/pytorch.py --network lenet5 --mode train --batch 64 --threads 2

A train step is forward, cross-entropy, backward, SGD with momentum 0.9, in eager mode. Both memory formats are timed in
turn, and the line is that of the faster one: the comparison is with PyTorch at its best.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

from networks import NETWORKS


def train_step(network, images, labels):
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    network.train()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_function(network(images), labels).backward()
        optimizer.step()

    return step


def infer_step(network, images, _labels):
    network.eval()

    def step():
        with torch.inference_mode():
            network(images)

    return step


STEPS = {"train": train_step, "infer": infer_step}
MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def milliseconds(step):
    start = time.perf_counter()
    step()
    return 1e3 * (time.perf_counter() - start)


def enough(times, repeat):
    return len(times) >= repeat if repeat else len(times) >= 10 and sum(times) > 5e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="lenet5")
    parser.add_argument("--mode", choices=STEPS, default="train")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeat", type=int, help="timed steps in each memory format; as many as 5 seconds hold if not given")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    entry = NETWORKS[arguments.network]
    steps = {}
    for name, memory_format in MEMORY_FORMATS.items():
        torch.manual_seed(0)
        network = entry.build().to(memory_format=memory_format)
        images, labels = entry.batch(arguments.batch)
        steps[name] = STEPS[arguments.mode](network, images.to(memory_format=memory_format), labels)

    for step in steps.values():
        for _ in range(5):  # the first calls choose algorithms and allocate
            step()
    times = {name: [] for name in steps}
    while any(not enough(runs, arguments.repeat) for runs in times.values()):
        for name, step in steps.items():  # in turn, so that a busy moment of the machine hits both
            step()  # back into the caches
            for _ in range(10):
                if not enough(times[name], arguments.repeat):
                    times[name].append(milliseconds(step))

    best = min(times, key=lambda name: statistics.median(times[name]))
    line = {
        "network": arguments.network,
        "mode": arguments.mode,
        "batch": arguments.batch,
        "threads": arguments.threads,
        "median_ms": round(statistics.median(times[best]), 4),
        "min_ms": round(min(times[best]), 4),
        "runs": len(times[best]),
        "peer": f"pytorch {torch.__version__}, {best}",
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()

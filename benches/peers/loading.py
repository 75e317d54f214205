"""Compares the loader with torchvision's DataLoader on a folder of 500 x 375 JPEGs, both with two workers, in turn: pictures a second.

    cargo build --release --example loading
    python benches/peers/loading.py target/release/examples/loading

The pictures are made by it: smooth noise, saved with quality 90, of about as many bytes as ImageNet's. Prints the medians of seven rounds, each with
processes of its own in which the first epoch is not counted. Exits with 1 where torchvision is faster.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision
import torchvision.transforms as T
from PIL import Image
from torch.utils.data import DataLoader

ROUNDS = 7
PICTURES = 400
WORKERS = 2
TRANSFORMS = {
    "center": [T.CenterCrop(224), T.ToTensor()],
    "random": [T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])],
}


def make(folder):
    random = numpy.random.default_rng(1)
    sizes = []
    for index in range(PICTURES):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=numpy.uint8)).resize((500, 375), Image.BICUBIC)
        picture = numpy.asarray(coarse, dtype=numpy.float32) + random.normal(0, 12, (375, 500, 1))
        path = folder / f"class{index % 4}" / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture.clip(0, 255).astype(numpy.uint8)).save(path, quality=90)
        sizes.append(path.stat().st_size)
    return statistics.mean(sizes)


def theirs(folder, crop):
    data = torchvision.datasets.ImageFolder(folder, T.Compose(TRANSFORMS[crop]))
    loader = DataLoader(data, 32, shuffle=True, num_workers=WORKERS, persistent_workers=True)
    for epoch in range(2):
        start = time.perf_counter()
        for _ in loader:
            pass
    return len(data) / (time.perf_counter() - start)


def ours(program, folder, crop):
    command = [program, "folder", folder, "--workers", str(WORKERS), "--epochs", "2", "--crop", crop]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return json.loads(lines[-1])["pictures_per_s"]


def main():
    torch.set_num_threads(1)
    slower = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        print(f"{PICTURES} JPEGs of 500 x 375, {make(folder) / 1e3:.0f} kB each; {WORKERS} workers; medians of {ROUNDS} rounds")
        for crop in TRANSFORMS:
            rounds = [(ours(sys.argv[1], folder, crop), theirs(folder, crop)) for _ in range(ROUNDS)]
            own, peer = (statistics.median(times) for times in zip(*rounds))
            ratio = statistics.median(own / peer for own, peer in rounds)
            print(f"{crop:<7} {own:6.0f} pictures/s, torchvision {peer:6.0f}: {ratio:.2f} times as fast")
            slower |= ratio < 1
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())

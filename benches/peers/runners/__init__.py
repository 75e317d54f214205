"""The peers, a file each. A runner is a module with

- `NAME`, a table's heading, and `VERSION`;
- `MODES`, of "train" and "infer" what it can;
- `convert(network, images, folder)`, if it has a format of its own: writes the PyTorch module to files in `folder`, which is
  `work.converted` later. Peers with the same `FORMAT` share it;
- `COMPILES`, if what `load` gives compiles when it is first called, and keeps that in a cache;
- `load(work)`: a function that does the work once, from an input in memory to an output in memory, and returns the output, or,
  of a train step, the loss.

A runner imports PyTorch only where it needs it: the process that is timed is the peer's own.
"""

import importlib

PEERS = ["pytorch", "pytorch_channels_last", "pytorch_compile", "onnxruntime", "mnn", "ncnn", "openvino", "executorch"]


def runner(peer):
    return importlib.import_module(f"runners.{peer}")

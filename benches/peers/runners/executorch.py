"""ExecuTorch with XNNPACK."""

import os
from importlib.metadata import version

import torch
from executorch.extension.pybindings import portable_lib

NAME = "ExecuTorch"
VERSION = version("executorch")
MODES = {"infer"}


def path(folder):
    return os.path.join(folder, "network.pte")


def convert(network, images, folder):
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = to_edge_transform_and_lower(torch.export.export(network, (images,)), partitioner=[XnnpackPartitioner()])
    with open(path(folder), "wb") as file:
        program.to_executorch().write_to_file(file)


def load(work):
    portable_lib._unsafe_reset_threadpool(work.threads)
    module = portable_lib._load_for_executorch(path(work.converted))
    images = torch.from_numpy(work.images())
    return lambda: module.forward((images,))[0].numpy()

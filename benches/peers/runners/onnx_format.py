"""What several peers read."""

import os

FORMAT = "onnx"


def path(folder):
    return os.path.join(folder, "network.onnx")


def convert(network, images, folder):
    import torch

    torch.onnx.export(network, (images,), path(folder), dynamo=True, external_data=False, verbose=False)

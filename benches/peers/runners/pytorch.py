"""PyTorch in eager mode. A train step is forward, cross-entropy, backward, SGD with momentum 0.9."""

import torch
from torch import nn

from networks import NETWORKS

NAME = "PyTorch"
VERSION = torch.__version__.split("+")[0]
MODES = {"train", "infer"}


def load(work, memory_format=torch.contiguous_format, compiled=False):
    torch.set_num_threads(work.threads)
    network = NETWORKS[work.network].build().to(memory_format=memory_format)
    network.load_state_dict(torch.load(work.weights))
    network.train(work.mode == "train")
    images = torch.from_numpy(work.images()).to(memory_format=memory_format)
    function = torch.compile(network) if compiled else network
    if work.mode == "train":
        return train_step(network, function, images, torch.from_numpy(work.labels()))

    def infer():
        with torch.inference_mode():
            return function(images).numpy()

    return infer


def train_step(network, function, images, labels):
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(function(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach().numpy()

    return train

"""PyTorch in eager mode with its maps as `[n, h, w, c]`."""

import torch

from runners import pytorch

NAME = "PyTorch, channels last"
VERSION, MODES = pytorch.VERSION, pytorch.MODES


def load(work):
    return pytorch.load(work, torch.channels_last)

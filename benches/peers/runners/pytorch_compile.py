"""`torch.compile`, which needs a C++ compiler."""

from runners import pytorch

NAME = "PyTorch, compiled"
VERSION, MODES = pytorch.VERSION, pytorch.MODES
COMPILES = True


def load(work):
    return pytorch.load(work, compiled=True)

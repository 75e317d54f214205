"""Weights with which rounding decides nothing.

The slope of a rectifier jumps at its kinks, and a max pooling sends its gradient to one of two values that are nearly equal. Where
f32 cannot tell from f64 which side a value is on, both are right, and each has a gradient of its own: behind normalizations
over few values, one window of three million moves nearly every gradient by some percent. So the filters that make such a
value, or the summands of a normalization behind them, are changed a little, until there is none. After that a gradient has
nothing to differ by but rounding, and formulas."""

import copy

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from expected import RANDOM

# Least distance, of the deviation of all values of the map: several times what f32 loses in a deep network.
MARGIN = 1e-5
# How much of a filter changes: enough for its own values, and little for all behind them, which were far enough already.
CHANGE = 3e-4

KINKS = {"relu": (0,), "relu_": (0,), "leaky_relu": (0,), "hardtanh": (0, 6), "hardswish": (-3, 3), "hardsigmoid": (-3, 3)}
# The dimension of the weight that output channels are.
FILTERS = {"conv2d": 0, "linear": 0, "conv_transpose2d": 1}


class Watch(TorchFunctionMode):
    """Knows of every map that a network makes which filter made a channel, and what shifts it: a filter, or the bias of a
    normalization. `close` are those of values that are too close to others, and to kinks."""

    def __init__(self):
        super().__init__()
        self.makers = {}
        self.born = {}  # when they made it, of every map
        self.close = {}  # in the order of the network
        self.alive = []  # an `id` is unique as long as its object lives

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name == "hardtanh":
            assert (kwargs["min_val"], kwargs["max_val"]) == KINKS[name]  # those of `nn.ReLU6`
        if name in KINKS:
            self.note(args[0], near_kinks(args[0], KINKS[name]), 1)
        elif name == "max_pool2d":
            self.note(args[0], near_equals(*args, **kwargs), 0)
        # Makers of what works in place are looked up before.
        makers = self.makers_of(name, args, kwargs)
        is_made = name in FILTERS or name == "batch_norm"
        born = len(self.alive) if is_made else max((self.born.get(id(arg), 0) for arg in args), default=0)
        output = function(*args, **kwargs)
        if isinstance(output, torch.Tensor) and output.dim() > 1 and len(makers) == output.shape[1]:
            self.makers[id(output)] = makers
            self.born[id(output)] = born
            self.alive.append(output)
        return output

    def makers_of(self, name, args, kwargs):
        if name in FILTERS:
            weight = args[1]
            return [2 * ((weight, FILTERS[name], filter),) for filter in range(weight.shape[FILTERS[name]])]
        if name == "batch_norm":
            bias = kwargs["bias"]
            return [(filter, (bias, 0, channel)) for channel, (filter, _) in enumerate(self.makers[id(args[0])])]
        if name in ("cat", "concat"):
            return [maker for part in args[0] for maker in self.makers.get(id(part), ())]
        # Of a sum, those of the youngest summand: of an older one nothing may be left behind a rectifier.
        maps = [arg for arg in args if id(arg) in self.makers]
        return self.makers[id(max(maps, key=lambda map: self.born[id(map)]))] if maps else []

    def note(self, values, channels, which):
        makers = self.makers[id(values)]
        self.close |= {makers[channel][which]: None for channel in channels.unique().tolist()}


def near_kinks(values, kinks):
    """Channels with values close to kinks."""
    distance = torch.stack([(values - kink).abs() for kink in kinks]).amin(0)
    return (distance < MARGIN * values.std()).nonzero()[:, 1]


def near_equals(values, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Channels with windows of which another value is close to the first. Equal ones are so by origin, in every precision:
    zeros of a rectifier, or one value that a pooling before took twice."""
    assert dilation == 1 and isinstance(kernel_size, int) and isinstance(padding, int)
    stride = stride or kernel_size
    rows, columns = functional.max_pool2d(values, kernel_size, stride, padding, 1, ceil_mode).shape[2:]
    padded = functional.pad(values, (padding, padding + stride) * 2, value=-torch.inf)
    windows = padded.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)[:, :, :rows, :columns]
    gaps = windows.amax((4, 5), keepdim=True) - windows
    return ((gaps > 0) & (gaps < MARGIN * values.std())).nonzero()[:, 1]


def keep_margins(network, images):
    """Changes filters and summands until no value is close to a kink, in evaluation and in training mode (without its dropout).
    Returns how many changes it took."""
    double = copy.deepcopy(network).double()
    for module in double.modules():
        if isinstance(module, RANDOM):
            module.p = 0.0
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    # Without normalizations of the batch both modes are one.
    modes = (False, True) if any(isinstance(module, nn.BatchNorm2d) for module in double.modules()) else (False,)
    changed = 0
    for _ in range(200):
        close = {}
        for train in modes:
            with torch.no_grad(), Watch() as watch:
                double.train(train)(images.double())
            close |= watch.close
        if not close:
            network.load_state_dict(dict(network.state_dict()) | dict(double.named_parameters()))
            return changed
        changed += len(close)
        with torch.no_grad():
            for weight, dimension, filter in close:
                values = weight.select(dimension, filter)
                values *= 1 + CHANGE * torch.randn_like(values)
                values.copy_(values.float())
    raise SystemExit(f"{len(close)} channels have values close to kinks, whatever is done")

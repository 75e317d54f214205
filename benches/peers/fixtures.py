"""Writes `tests/fixtures/`: tiny networks with what PyTorch makes of them, for `tests/pytorch.rs`.

    python benches/peers/fixtures.py tests/fixtures

Of each network there are two files: its weights, and `expected.safetensors` with input, labels, and for both modes output,
loss, every gradient, and in training mode the running statistics after the step. PyTorch computes in f64.
"""

import argparse
import pathlib
from collections import OrderedDict
from functools import partial

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.convnext import CNBlock, LayerNorm2d as OfChannels2d
from torchvision.models.densenet import _DenseBlock, _Transition
from torchvision.models.googlenet import Inception
from torchvision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig
from torchvision.models.resnet import BasicBlock

from expected import expected_tensors, randomize
from networks import Double

SAMPLES = 2
CLASSES = 3


class Concat(nn.Module):
    """Channels of all branches, in order."""

    def __init__(self, **branches):
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, values):
        return torch.cat([branch(values) for branch in self.children()], 1)


def classifier(channels):
    return dict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, CLASSES))


def named(**steps):
    return nn.Sequential(OrderedDict(steps))


def residual():
    projection = nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6))
    return named(
        conv1=nn.Conv2d(2, 4, 3, padding=1, bias=False),
        bn1=nn.BatchNorm2d(4),
        relu=nn.ReLU(),
        layer1=nn.Sequential(BasicBlock(4, 4), BasicBlock(4, 6, stride=2, downsample=projection)),
        **classifier(6),
    )


def inception():
    return named(stem=nn.Conv2d(2, 4, 3, bias=False), inception=Inception(4, 2, 2, 3, 1, 2, 2), **classifier(9))


def dense():
    block = _DenseBlock(num_layers=2, num_input_features=4, bn_size=2, growth_rate=3, drop_rate=0.0)
    return named(conv0=nn.Conv2d(2, 4, 3, bias=False), block=block, transition=_Transition(10, 5), **classifier(5))


def squeeze_excitation():
    config = InvertedResidualConfig(4, 3, 8, 4, True, "HS", 1, 1, 1.0)
    # Channels are rounded to multiples of eight; these are fewer.
    config.input_channels, config.expanded_channels, config.out_channels = 4, 8, 4
    norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
    return named(stem=nn.Conv2d(2, 4, 3), residual=InvertedResidual(config, norm), **classifier(4))


class Hourglass(nn.Module):
    """A level of a U-Net, and one that is upsampled without weights."""

    def __init__(self):
        super().__init__()
        self.encoder = Double(1, 3)
        self.pool = nn.MaxPool2d(2)
        self.bottom = Double(3, 4)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)
        self.decoder = nn.Conv2d(5 + 3, CLASSES, 3, padding=1)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, values):
        skip = self.encoder(values)
        low = self.pool(skip)
        return self.decoder(torch.cat([skip, self.up(self.bottom(low)), self.upsample(low)], 1))


def activations():
    branches = Concat(
        relu6=nn.ReLU6(),
        leaky_relu=nn.LeakyReLU(0.2),
        prelu=nn.PReLU(3),
        sigmoid=nn.Sigmoid(),
        tanh=nn.Tanh(),
        hardsigmoid=nn.Hardsigmoid(),
        hardswish=nn.Hardswish(),
        silu=nn.SiLU(),
        gelu=nn.GELU(),
        gelu_tanh=nn.GELU(approximate="tanh"),
        local_response_norm=nn.LocalResponseNorm(3, alpha=0.1),
        log_softmax=nn.LogSoftmax(1),
    )
    return named(conv=nn.Conv2d(2, 3, 1), branches=branches, head=nn.Conv2d(36, CLASSES, 1))


def windows():
    """Maps of 7 x 6 from 9 x 8."""
    branches = Concat(
        valid=nn.Conv2d(2, 2, 3),
        groups=nn.Conv2d(2, 4, 3, groups=2),
        dilation=nn.Conv2d(2, 2, 3, padding=1, dilation=2),
        same=nn.Sequential(nn.Conv2d(2, 2, (2, 4), padding="same"), nn.MaxPool2d(3, stride=1)),
        sides=nn.Sequential(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(2, 2, (6, 4))),
        transposed=nn.Sequential(
            nn.MaxPool2d(2, ceil_mode=True), nn.ConvTranspose2d(2, 4, 3, stride=2, padding=2, groups=2, output_padding=(0, 1))
        ),
        average=nn.AvgPool2d(3, stride=1),
        ceiling=nn.Sequential(
            nn.AvgPool2d(2, padding=1, ceil_mode=True, count_include_pad=False), nn.Upsample((7, 6), mode="nearest")
        ),
        adaptive_average=nn.AdaptiveAvgPool2d((7, 6)),
        adaptive_maximum=nn.AdaptiveMaxPool2d((7, 6)),
        dilated_maximum=nn.MaxPool2d(2, stride=1, dilation=2),
    )
    return named(branches=branches, head=nn.Conv2d(26, CLASSES, 1))


def rare():
    """Options that few networks use. Maps of 7 x 6 from 9 x 8."""

    def halved():
        return nn.AvgPool2d(2)

    branches = Concat(
        transposed=nn.Sequential(
            nn.MaxPool2d(3, stride=2),
            nn.ConvTranspose2d(2, 2, 3, stride=2, dilation=3, padding=(4, 3), output_padding=(2, 1)),
        ),
        average=nn.AvgPool2d(3, stride=1, divisor_override=4),
        normal=nn.Sequential(nn.Conv2d(2, 2, 3, bias=False), nn.BatchNorm2d(2, momentum=None)),
        mirror=nn.Sequential(nn.Conv2d(2, 2, 3), nn.LeakyReLU(-0.5)),
        nearest=nn.Sequential(halved(), nn.Upsample(scale_factor=(1.9, 1.6))),
        bilinear=nn.Sequential(halved(), nn.Upsample(scale_factor=(1.9, 1.6), mode="bilinear")),
    )
    return named(branches=branches, head=nn.Conv2d(12, CLASSES, 1))


class OfChannels(nn.Module):
    """A normalization over the channels of each position, as torchvision's `LayerNorm2d`, which is one itself."""

    def forward(self, values):
        return super().forward(values.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerNorm2d(OfChannels, nn.LayerNorm):
    pass


class RMSNorm2d(OfChannels, nn.RMSNorm):
    pass


class Sum(Concat):
    """What goes in, and what all branches make of it."""

    def forward(self, values):
        return values + sum(branch(values) for branch in self.children())


def normalizations():
    branches = Concat(
        layer_norm=nn.LayerNorm([6, 5, 4]),
        without_bias=nn.LayerNorm([6, 5, 4], eps=0.01, bias=False),
        of_channels=LayerNorm2d(6),
        group_norm=nn.GroupNorm(3, 6),
        instance_norm2d=nn.InstanceNorm2d(6),
        affine=nn.InstanceNorm2d(6, eps=0.1, affine=True),
        rms_norm=nn.RMSNorm([6, 5, 4]),
        rms_of_channels=RMSNorm2d(6, eps=0.01),
    )
    return named(
        conv=nn.Conv2d(2, 6, 3, padding=1),
        branches=branches,
        mix=nn.Conv2d(48, 4, 1),
        flatten=nn.Flatten(),
        of_map=nn.LayerNorm(80),
        fc1=nn.Linear(80, 8),
        # Of two samples a normalization alone makes 1 and -1, whatever they are.
        sum=Sum(batch_norm1d=nn.BatchNorm1d(8)),
        group_norm=nn.GroupNorm(2, 8),
        rms_norm=nn.RMSNorm(8),
        fc=nn.Linear(8, CLASSES),
    )


def convnext():
    return named(
        stem=nn.Conv2d(2, 6, 2, stride=2),
        norm=OfChannels2d(6, eps=1e-6),
        blocks=nn.Sequential(CNBlock(6, 0.5, 0.0), CNBlock(6, 0.25, 0.0)),
        **classifier(6),
    )


class Positions(nn.Linear):
    """A linear layer of each position of a sequence."""

    def forward(self, values):
        return super().forward(values.transpose(1, 2)).transpose(1, 2)


def sequence():
    """Sequences of length 9 from 20."""
    branches = Concat(
        valid=nn.Sequential(nn.Conv1d(6, 4, 3), nn.MaxPool1d(2)),
        groups=nn.Conv1d(6, 6, 5, stride=2, padding=1, groups=3),
        dilation=nn.Sequential(nn.Conv1d(6, 4, 3, padding="same", dilation=2), nn.MaxPool1d(2, 2, dilation=3)),
        causal=nn.Sequential(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(6, 4, 6), nn.AvgPool1d(2, ceil_mode=True)),
        transposed=nn.Sequential(
            nn.AvgPool1d(4, padding=2, count_include_pad=False),
            nn.ConvTranspose1d(6, 4, 4, stride=2, padding=3, output_padding=1, groups=2),
        ),
        average=nn.AdaptiveAvgPool1d(9),
        maximum=nn.AdaptiveMaxPool1d(9),
        positions=nn.Sequential(Positions(6, 4), nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True), nn.Conv1d(4, 4, 3)),
    )
    return named(
        conv1=nn.Conv1d(3, 6, 3, padding=1, bias=False),
        bn1=nn.BatchNorm1d(6),
        relu=nn.ReLU(),
        branches=branches,
        pool=nn.AdaptiveAvgPool1d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(38, CLASSES),
    )


def paddings():
    """Maps of 6 x 5 from 5 x 4."""
    branches = Concat(
        reflection=nn.Sequential(nn.ReflectionPad2d((3, 0, 1, 2)), nn.Conv2d(2, 2, 3)),
        replication=nn.Sequential(nn.ReplicationPad2d((1, 3, 5, 0)), nn.AvgPool2d((5, 4), stride=1)),
        circular=nn.Sequential(nn.CircularPad2d((4, 0, 0, 3)), nn.Conv2d(2, 2, (3, 4))),
        constant=nn.Sequential(nn.ConstantPad2d((1, 2, 2, 1), 1.5), nn.Conv2d(2, 2, 3)),
        reflect=nn.Sequential(nn.Conv2d(2, 2, 3, padding=(2, 3), padding_mode="reflect"), nn.MaxPool2d((2, 4), stride=1)),
        replicate=nn.Conv2d(2, 4, (4, 2), padding=(2, 1), padding_mode="replicate", groups=2, bias=False),
        circle=nn.Sequential(nn.Conv2d(2, 2, (2, 4), padding="same", padding_mode="circular"), nn.ZeroPad2d((1, 0, 1, 0))),
    )
    return named(branches=branches, head=nn.Conv2d(16, CLASSES, 1))


# name -> constructor, sizes of an image
FIXTURES = {
    "residual": (residual, (2, 6, 6)),
    "inception": (inception, (2, 7, 7)),
    "dense": (dense, (2, 6, 6)),
    "squeeze_excitation": (squeeze_excitation, (2, 6, 6)),
    "hourglass": (Hourglass, (1, 6, 6)),
    "activations": (activations, (2, 3, 4)),
    "windows": (windows, (2, 9, 8)),
    "rare": (rare, (2, 9, 8)),
    "normalizations": (normalizations, (2, 5, 4)),
    "convnext": (convnext, (2, 8, 6)),
    "sequence": (sequence, (3, 20)),
    "paddings": (paddings, (2, 5, 4)),
}


def write(folder, name):
    build, image = FIXTURES[name]
    torch.manual_seed(0)
    network = build()
    images = torch.randn(SAMPLES, *image)
    randomize(network, images)
    # One for each sample, or for each position of its map.
    _, _, *positions = network.eval()(images).shape
    labels = torch.randint(CLASSES, (SAMPLES, *positions))
    tensors = {"input": images, "labels": labels}
    for mode in ("evaluation", "training"):
        expected = expected_tensors(network, images, labels, torch.nn.CrossEntropyLoss(), mode == "training")
        for tensor, values in expected.items():
            values = values.float() if values.is_floating_point() else values
            tensors[f"{mode}.{tensor}"] = values.contiguous()
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / "weights.safetensors")
    save_file(tensors, folder / "expected.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    for name in FIXTURES:
        write(folder, name)


if __name__ == "__main__":
    main()

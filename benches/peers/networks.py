"""The networks of `examples/networks/` in PyTorch, with the same weight names: torchvision's where it has them."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn
from torchvision import models


def lenet5():
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 5, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(400, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            fc3=nn.Linear(84, 10),
        )
    )


def vgg_cifar():
    layers, channels = [], 3
    for width in (64, 128, 256):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 10))


def googlenet():
    # `init_weights` is only slow: the weights need not be good ones.
    return models.googlenet(aux_logits=False, transform_input=False, init_weights=False)


class Double(nn.Sequential):
    def __init__(self, channels, width):
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, width, 3, padding=1, bias=False),
                bn1=nn.BatchNorm2d(width),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(width, width, 3, padding=1, bias=False),
                bn2=nn.BatchNorm2d(width),
                relu2=nn.ReLU(),
            )
        )


class UNetBody(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.encoder1 = Double(channels, width)
        self.encoder2 = Double(width, 2 * width)
        self.encoder3 = Double(2 * width, 4 * width)
        self.bottom = Double(4 * width, 8 * width)
        self.up3 = nn.ConvTranspose2d(8 * width, 4 * width, 2, stride=2)
        self.decoder3 = Double(8 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2)
        self.decoder2 = Double(4 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.decoder1 = Double(2 * width, width)

    def forward(self, images):
        skip1 = self.encoder1(images)
        skip2 = self.encoder2(self.pool(skip1))
        skip3 = self.encoder3(self.pool(skip2))
        up3 = self.up3(self.bottom(self.pool(skip3)))
        up2 = self.up2(self.decoder3(torch.cat([skip3, up3], 1)))
        up1 = self.up1(self.decoder2(torch.cat([skip2, up2], 1)))
        return self.decoder1(torch.cat([skip1, up1], 1))


def unet(channels):
    return nn.Sequential(OrderedDict(unet=UNetBody(channels, 16), head=nn.Conv2d(16, 2, 1)))


@dataclass(frozen=True)
class Network:
    build: Callable[[], nn.Module]
    image: tuple[int, int, int]
    classes: int
    # A class for each image, or for each pixel of it.
    dense: bool = False

    def batch(self, samples):
        """Random images and labels."""
        images = torch.randn(samples, *self.image)
        labels = torch.randint(self.classes, (samples, *(self.image[1:] if self.dense else ())))
        return images, labels


IMAGENET = (3, 224, 224)
NETWORKS = {
    "lenet5": Network(lenet5, (1, 28, 28), 10),
    "vgg_cifar": Network(vgg_cifar, (3, 32, 32), 10),
    "resnet18": Network(models.resnet18, IMAGENET, 1000),
    "resnet50": Network(models.resnet50, IMAGENET, 1000),
    "googlenet": Network(googlenet, IMAGENET, 1000),
    "squeezenet1_1": Network(models.squeezenet1_1, IMAGENET, 1000),
    "densenet121": Network(models.densenet121, IMAGENET, 1000),
    "mobilenet_v2": Network(models.mobilenet_v2, IMAGENET, 1000),
    "mobilenet_v3_small": Network(models.mobilenet_v3_small, IMAGENET, 1000),
    "unet": Network(lambda: unet(1), (1, 64, 64), 2, dense=True),
    "unet_colour": Network(lambda: unet(3), (3, 128, 128), 2, dense=True),
}

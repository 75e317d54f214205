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


def deeplabv3():
    build = models.segmentation.deeplabv3_resnet50
    return build(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)


def generator():
    # https://github.com/pytorch/examples/blob/main/dcgan/main.py
    layers = [nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU()]
    for width in (256, 128, 64):
        layers += [nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    layers += [nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(OrderedDict(main=nn.Sequential(*layers)))


def discriminator():
    layers = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for width in (128, 256, 512):
        layers += [nn.Conv2d(width // 2, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
    layers += [nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(OrderedDict(main=nn.Sequential(*layers), flatten=nn.Flatten()))


class Cell(nn.Sequential):
    def __init__(self, channels, width, kernel, stride=1):
        super().__init__(
            OrderedDict(
                conv=nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False),
                bn=nn.BatchNorm2d(width, eps=0.001, momentum=0.03),
                silu=nn.SiLU(),
            )
        )


class Bottleneck(nn.Module):
    def __init__(self, width, adds):
        super().__init__()
        self.cv1 = Cell(width, width, 1)
        self.cv2 = Cell(width, width, 3)
        self.adds = adds

    def forward(self, maps):
        filtered = self.cv2(self.cv1(maps))
        return maps + filtered if self.adds else filtered


class Csp(nn.Module):
    def __init__(self, channels, width, count=1, adds=True):
        super().__init__()
        self.cv1 = Cell(channels, width // 2, 1)
        self.cv2 = Cell(channels, width // 2, 1)
        self.m = nn.Sequential(*(Bottleneck(width // 2, adds) for _ in range(count)))
        self.cv3 = Cell(width, width, 1)

    def forward(self, maps):
        return self.cv3(torch.cat([self.m(self.cv1(maps)), self.cv2(maps)], 1))


class Pooled(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cv1 = Cell(width, width // 2, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.cv2 = Cell(2 * width, width, 1)

    def forward(self, maps):
        maps = [self.cv1(maps)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        return self.cv2(torch.cat(maps, 1))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()

        def stage(width, count, *last):
            steps = OrderedDict(down=Cell(width // 2, width, 3, 2), csp=Csp(width, width, count))
            return nn.Sequential(steps | OrderedDict(last))

        self.stem = Cell(3, 16, 3, 2)
        self.stage2, self.stage3, self.stage4 = stage(32, 1), stage(64, 2), stage(128, 3)
        self.stage5 = stage(256, 1, ("pool", Pooled(256)))
        self.lateral5, self.up4 = Cell(256, 128, 1), Csp(256, 128, adds=False)
        self.lateral4, self.up3 = Cell(128, 64, 1), Csp(128, 64, adds=False)
        self.down4, self.out4 = Cell(64, 64, 3, 2), Csp(128, 128, adds=False)
        self.down5, self.out5 = Cell(128, 128, 3, 2), Csp(256, 256, adds=False)
        self.head3, self.head4, self.head5 = (nn.Conv2d(width, 3 * 85, 1) for width in (64, 128, 256))
        self.upsample = nn.Upsample(scale_factor=2)

    def forward(self, images):
        p3 = self.stage3(self.stage2(self.stem(images)))
        p4 = self.stage4(p3)
        n5 = self.lateral5(self.stage5(p4))
        n4 = self.lateral4(self.up4(torch.cat([self.upsample(n5), p4], 1)))
        small = self.up3(torch.cat([self.upsample(n4), p3], 1))
        medium = self.out4(torch.cat([self.down4(small), n4], 1))
        large = self.out5(torch.cat([self.down5(medium), n5], 1))
        return self.head3(small), self.head4(medium), self.head5(large)


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens):
        x = self.ln_1(tokens)
        q, k, v = (of(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for of in (self.q, self.k, self.v))
        met = nn.functional.scaled_dot_product_attention(q, k, v)
        tokens = tokens + self.out(met.transpose(1, 2).flatten(2))
        return tokens + self.fc2(nn.functional.gelu(self.fc1(self.ln_2(tokens))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_proj = nn.Conv2d(3, 192, 16, 16)
        self.pos_embedding = nn.Parameter(torch.zeros(192, 1, 196))
        self.layers = nn.Sequential(*(Layer(192, 3) for _ in range(12)))
        self.ln, self.head = nn.LayerNorm(192, 1e-6), nn.Linear(192, 1000)

    def forward(self, images):
        patches = self.conv_proj(images).flatten(2) + self.pos_embedding.flatten(1)
        return self.head(self.ln(self.layers(patches.transpose(1, 2))).mean(1))


def together(outputs):
    """Several outputs of a sample, one behind the other."""
    if isinstance(outputs, torch.Tensor):
        return outputs
    parts = outputs.values() if isinstance(outputs, dict) else outputs
    return torch.cat([part.flatten(1) for part in parts], 1)


@dataclass(frozen=True)
class Network:
    build: Callable[[], nn.Module]
    image: tuple[int, int, int]
    # If it tells classes apart; otherwise values are what it is to make.
    classes: int | None = None
    # A class for each image, or for each pixel of it.
    dense: bool = False
    # How far normalized channels lean to one side of a rectifier, see `randomize`.
    lean: tuple[float, float] = (2, 3.5)
    # If averages over whole maps are normalized. Those of noise differ so little between samples that what a sum in f32 rounds
    # is some ten-thousandths of their deviation, and thousandths of the gradient of its scale; and in training mode two values
    # become 1 and -1, whatever they were, with a gradient that is nothing but rounding. So there are at least three samples,
    # each with colours of its own.
    normalizes_averages: bool = False

    def batch(self, samples):
        """Random images, and labels or values."""
        samples = max(samples, 3) if self.normalizes_averages else samples
        images = torch.randn(samples, *self.image)
        if self.normalizes_averages:
            images += torch.randn(samples, self.image[0], 1, 1)
        if self.classes is None:
            with torch.no_grad():
                return images, torch.randn_like(together(self.build().eval()(images)))
        labels = torch.randint(self.classes, (samples, *(self.image[1:] if self.dense else ())))
        return images, labels

    def loss(self, output, truth):
        """Cross-entropy of labels, or the mean squared error of values."""
        return (nn.MSELoss() if self.classes is None else nn.CrossEntropyLoss())(output, truth)


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
    "alexnet": Network(models.alexnet, IMAGENET, 1000),
    "vgg11_bn": Network(models.vgg11_bn, IMAGENET, 1000),
    "vgg16": Network(models.vgg16, IMAGENET, 1000),
    # Without an identity beside its filters, as nearly a linear network it would make much of every rounding.
    "shufflenet_v2_x1_0": Network(models.shufflenet_v2_x1_0, IMAGENET, 1000, lean=(0.5, 1.5)),
    "regnet_y_400mf": Network(models.regnet_y_400mf, IMAGENET, 1000),
    "efficientnet_b0": Network(models.efficientnet_b0, IMAGENET, 1000),
    "convnext_tiny": Network(models.convnext_tiny, IMAGENET, 1000),
    "vit_tiny": Network(Transformer, IMAGENET, 1000),
    "deeplabv3_resnet50": Network(deeplabv3, IMAGENET, normalizes_averages=True),
    "unet": Network(lambda: unet(1), (1, 64, 64), 2, dense=True),
    "unet_colour": Network(lambda: unet(3), (3, 128, 128), 2, dense=True),
    "dcgan_generator": Network(generator, (100, 1, 1)),
    "dcgan_discriminator": Network(discriminator, (3, 64, 64)),
    "detector": Network(Detector, (3, 256, 256)),
}

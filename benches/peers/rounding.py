"""Rounding of PyTorch's own 3x3 convolutions, which `cnn-core/tests/kernel_winograd.rs` holds Winograd's to.

    python benches/peers/rounding.py

Prints the root mean square of the error against f64, as a share of the result's, in units of 1e-7: of the output for
rectified and for normal inputs, and of the gradients by the input and by the weight.
"""

import torch
import torch.nn.functional as functional
from torch.nn.grad import conv2d_input, conv2d_weight

torch.manual_seed(0)


def share(found, expected):
    return 1e7 * ((found.double() - expected).square().mean() / expected.square().mean()).sqrt().item()


def main():
    print(torch.__version__, torch.backends.cpu.get_cpu_capability())
    for channels in (64, 256, 512):
        weight = (torch.rand(channels, channels, 3, 3) * 2 - 1) / (9 * channels) ** 0.5
        normal = torch.randn(2, channels, 14, 14)
        grad_output = torch.randn(2, channels, 14, 14)
        rounding = {}
        for name, images in (("rectified", normal.relu()), ("normal", normal)):
            exact = functional.conv2d(images.double(), weight.double(), padding=1)
            rounding[name] = share(functional.conv2d(images, weight, padding=1), exact)
        exact = conv2d_input(normal.shape, weight.double(), grad_output.double(), padding=1)
        rounding["to the input"] = share(conv2d_input(normal.shape, weight, grad_output, padding=1), exact)
        exact = conv2d_weight(normal.double(), weight.shape, grad_output.double(), padding=1)
        rounding["to the weight"] = share(conv2d_weight(normal, weight.shape, grad_output, padding=1), exact)
        print(channels, ", ".join(f"{name} {value:.2f}" for name, value in rounding.items()))


if __name__ == "__main__":
    main()

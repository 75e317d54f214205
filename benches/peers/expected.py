"""What PyTorch makes of a network, and how far other numbers are from it."""

import copy

import torch
from torch import nn
from torchvision.ops import StochasticDepth

from networks import together


def randomize(network, images, lean=(2, 3.5)):
    """Moves weights and running statistics away from where they start, so that none of them can be forgotten.

    The statistics are those of what a normalization gets in evaluation mode, a little off: with others the maps of a deep
    network would grow or fade with every layer. Three of four channels lean to positive values and one to negative ones, the
    same all along a residual stream: then few values are so near to the kink of a rectifier that rounding decides their side. `lean` is how far, in deviations."""
    norms = [module for module in network.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    of_samples = (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d, nn.RMSNorm)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            # They start so small that what they scale is nothing.
            if name.endswith("layer_scale"):
                parameter.uniform_(0.5, 1)
        for norm in network.modules():
            if isinstance(norm, of_samples):
                for parameter in norm.parameters():
                    parameter.add_(torch.empty_like(parameter).uniform_(-0.5, 0.5))
        for norm in norms:
            norm.weight.uniform_(0.5, 1)
            side = torch.where(torch.arange(norm.num_features) % 4 == 3, -1, 1)
            norm.bias.uniform_(*lean).mul_(side * norm.weight)
        hooks = [norm.register_forward_pre_hook(lambda norm, inputs: set_statistics(norm, *inputs)) for norm in norms]
        network.eval()(images)
        for hook in hooks:
            hook.remove()


def set_statistics(norm, maps):
    """Those of what it gets, a little off."""
    if not norm.track_running_stats:
        return
    over = [dimension for dimension in range(maps.dim()) if dimension != 1]
    variance, mean = torch.var_mean(maps, over)
    deviation = variance.sqrt()
    norm.running_mean.copy_(mean + 0.2 * deviation * torch.randn_like(deviation))
    norm.running_var.copy_(variance * torch.empty_like(deviation).uniform_(0.7, 1.4))
    norm.num_batches_tracked += 1


RANDOM = (nn.Dropout, StochasticDepth)


class Kept(nn.Module):
    """A random layer of which is known what it keeps."""

    def __init__(self, p, kept):
        super().__init__()
        self.p, self.kept = p, kept

    def forward(self, values):
        return values * self.kept.to(values.dtype) / (1 - self.p)


class Untold(nn.Module):
    """A random layer of which nobody says what it keeps. Some are there without any use."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, values):
        raise AssertionError(f"nobody says what {self.name} keeps")


def expected_tensors(network, images, truth, loss, train, kept=(), dtype=torch.float64):
    """Output, loss, gradients, and in training mode the state after the step.

    `kept` has for the name of each random layer what it keeps, which is of the same distribution wherever it comes from."""
    network = copy.deepcopy(network).to(dtype).train(train)
    for name in kept:
        dropout = network.get_submodule(name)
        assert isinstance(dropout, RANDOM), name
        network.set_submodule(name, Kept(dropout.p, kept[name]))
    for name, module in list(network.named_modules()):
        if train and isinstance(module, RANDOM):
            network.set_submodule(name, Untold(name))
    output = together(network(images.to(dtype)))
    loss = loss(output, truth.to(dtype) if truth.is_floating_point() else truth)
    loss.backward()
    tensors = {"output": output.detach(), "loss": loss.detach()}
    for name, parameter in network.named_parameters():
        tensors[f"gradient.{name}"] = parameter.grad
    if train:
        tensors |= {f"state.{name}": buffer for name, buffer in network.named_buffers()}
    return tensors


def relative_errors(found, expected):
    """Of each tensor the greatest difference, relative to its greatest value.

    Of gradients that are nothing but rounding, as of what shifts a map that is normalized next, it is relative to a
    ten-thousandth of the greatest gradient there is."""
    greatest = {name: tensor.double().abs().max().item() for name, tensor in expected.items()}
    floor = 1e-4 * max((value for name, value in greatest.items() if name.startswith("gradient.")), default=0.0)
    errors = {}
    for name, tensor in expected.items():
        if found[name].numel() != tensor.numel() or (tensor.dim() > 0 and found[name].shape != tensor.shape):
            raise SystemExit(f"{name}: expected the shape {list(tensor.shape)}, found {list(found[name].shape)}")
        difference = (found[name].double().flatten() - tensor.double().flatten()).abs().max().item()
        least = floor if name.startswith("gradient.") else 1e-30
        errors[name] = difference / max(greatest[name], least, 1e-30)
    return errors

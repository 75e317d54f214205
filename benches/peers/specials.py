"""What PyTorch makes of special numbers, in f32: the tables of cnn-core/tests/specials/pytorch.rs, and those of expressions.

    peers/bin/python benches/peers/specials.py > cnn-core/tests/specials/pytorch.rs
    peers/bin/python benches/peers/specials.py expressions > tests/expressions/pytorch.rs
    peers/bin/python benches/peers/specials.py losses > tests/loss_options/pytorch.rs

Values, and gradients where the output's is 1 and where it is infinite."""

import math
import sys
import textwrap

import torch
from torch.nn import functional as F

INF = math.inf
LARGEST = torch.finfo(torch.float32).max
NORMAL = torch.finfo(torch.float32).tiny


def neighbours(x):
    x = torch.tensor(x)
    return [torch.nextafter(x, torch.tensor(-INF)).item(), x.item(), torch.nextafter(x, torch.tensor(INF)).item()]


# Both signs of: nothing, the smallest numbers, kinks and what is next to them, where exponentials, squares and cubes leave
# the numbers, and the largest numbers.
POSITIVE = [0.0, 1e-45, 1e-40, NORMAL, 1e-30, 1e-8, 0.5, 1.0, *neighbours(3.0), 5.0, *neighbours(6.0), 9.0, 15.0, 17.0, 50.0]
POSITIVE += [87.0, 88.0, 88.8, 89.0, 100.0, 103.0, 104.0, 150.0, 1e4, 1e13, 1e20, 1e30, 1.8e38, LARGEST, INF]
INPUTS = [math.nan, *(sign * x for x in POSITIVE for sign in (1, -1))]

FUNCTIONS = {
    "RELU": F.relu,
    "RELU6": F.relu6,
    "LEAKY_RELU": F.leaky_relu,
    "SIGMOID": torch.sigmoid,
    "TANH": torch.tanh,
    "HARDSIGMOID": F.hardsigmoid,
    "HARDSWISH": F.hardswish,
    "SILU": F.silu,
    "GELU": F.gelu,
    "GELU_TANH": lambda x: F.gelu(x, approximate="tanh"),
    "PRELU": lambda x: F.prelu(x, torch.tensor([0.25])),
}

CONST = torch.tensor
# As `tests/expressions/functions.rs` writes them.
EXPRESSIONS = {
    "EXP": torch.exp,
    "EXP_M1": torch.expm1,
    "LN": torch.log,
    "LN_1P": torch.log1p,
    "SQRT": torch.sqrt,
    "ABS": torch.abs,
    "SIGN": torch.sign,
    "RELU": F.relu,
    "TANH": torch.tanh,
    "SIGMOID": torch.sigmoid,
    "SOFTPLUS": F.softplus,
    "ERF": torch.erf,
    "SQUARE": lambda x: x.pow(2),
    "CUBE": lambda x: x.pow(3),
    "INVERSE": lambda x: x.pow(-1),
    "ONE_AND_A_HALF": lambda x: x.pow(1.5),
    "MAX": lambda x: torch.maximum(x, CONST(3.0)),
    "MIN": lambda x: torch.minimum(x, CONST(3.0)),
    "CLAMP": lambda x: x.clamp(-3, 6),
    "CHOICE": lambda x: torch.where(x < 3, -x, x * 2),
    "SWISH": lambda x: x * torch.sigmoid(x),
    "SIXTH": lambda x: x / 6,
    "SOFTSIGN": lambda x: x / (1 + torch.abs(x)),
    "ELU": lambda x: F.elu(x, alpha=0.5),
    "CELU": lambda x: F.celu(x, alpha=1.5),
    "SELU": F.selu,
    "MISH": F.mish,
    "SOFTPLUS_LAYER": lambda x: F.softplus(x, beta=2, threshold=12),
    "HARDTANH": lambda x: F.hardtanh(x, -3, 6),
    "THRESHOLD": lambda x: F.threshold(x, 3, -0.5),
    "LOGSIGMOID": F.logsigmoid,
    "TANHSHRINK": F.tanhshrink,
    "CROSS_ENTROPY": lambda x: torch.maximum(x, CONST(0.0)) - x * 0.25 + torch.log1p(torch.exp(-torch.abs(x))),
}

PAIRS = [math.nan, INF, -INF, 0.0, -0.0, 1e-45, -3.0, 1e20, LARGEST, -LARGEST]

ROWS = [
    [math.nan, 0.0],
    [INF, 0.0],
    [INF, INF],
    [-INF, 0.0],
    [-INF, -INF],
    [INF, -INF],
    [88.0, 0.0],
    [104.0, 0.0],
    [1e4, 0.0],
    [1e30, -1e30],
    [LARGEST, -LARGEST],
    [LARGEST, LARGEST],
    [-1e38, 1e38],
    [1e-45, 0.0],
    [0.0, -0.0],
]


def number(x):
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "NEG_INFINITY"
    if abs(x) == LARGEST:
        return "MAX" if x > 0 else "MIN"
    x = torch.tensor(x).item()
    # As few digits as tell it from its neighbours.
    text = next(text for digits in range(1, 10) if torch.tensor(float(text := f"{x:.{digits}g}")).item() == x)
    return text if any(c in text for c in ".e") else text + ".0"


def array(values):
    return "[" + ", ".join(number(x) for x in values) + "]"


def constant(name, doc, ty, text):
    text = textwrap.fill(text, 116, break_on_hyphens=False, initial_indent="    ", subsequent_indent="    ")
    print(f"/// {doc}\npub(crate) const {name}: {ty} =\n{text};\n")


def values_and_gradients(function, inputs, grads):
    """The value, and for each gradient of the output that of the input.

    In vectors of one number each: the rest of a vector is computed otherwise in some functions, and at NaN to another end."""
    results = []
    inputs = inputs.repeat(64, 1).T.contiguous()
    for grad in grads:
        x = inputs.clone().requires_grad_()
        y = function(x)
        y.backward(torch.full_like(y, grad))
        results.append(x.grad[:, 0])
    return y.detach()[:, 0], results


def expressions():
    print(f"//! What PyTorch {torch.__version__.split('+')[0]} makes of special numbers. Written by `benches/peers/specials.py`.\n")
    print('#![allow(clippy::approx_constant, reason = "a logarithm is a number as any other")]\n')
    for name in ("NAN", "INFINITY", "NEG_INFINITY", "MAX", "MIN"):
        print(f"const {name}: f32 = f32::{name};")
    count = len(INPUTS)
    print()
    constant("INPUTS", "What the functions are called with.", f"[f32; {count}]", array(INPUTS))
    print("/// A function's values at [`INPUTS`], and its input's gradient where that of its output is 1.")
    print(f"pub(crate) struct Function {{ pub(crate) values: [f32; {count}], pub(crate) gradients: [f32; {count}] }}\n")
    for name, function in EXPRESSIONS.items():
        values, [gradients] = values_and_gradients(function, torch.tensor(INPUTS), [1.0])
        fields = f"values: {array(values.tolist())}, gradients: {array(gradients.tolist())}"
        constant(f"{name}_OF", f"`{name.lower()}`", "Function", f"Function {{ {fields} }}")


def pixels(rows):
    """Six rows as two maps of three pixels."""
    return rows.reshape(2, 1, 3, -1).permute(0, 3, 1, 2).contiguous()


def focal(x, t, reduction):
    """As torchvision.ops.sigmoid_focal_loss."""
    miss = torch.where(t == 1, 1 - x.sigmoid(), x.sigmoid())
    share = torch.where(t == 1, 0.25, 0.75)
    losses = share * miss**2 * F.binary_cross_entropy_with_logits(x, t, reduction="none")
    return getattr(losses, reduction)()


def dice(x, t, reduction):
    """Of each sample."""
    p = x.sigmoid()
    losses = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return getattr(losses, reduction)()


def contrastive(x, other, sides, reduction):
    """<http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf>, without the halves."""
    distances = F.pairwise_distance(x, other)
    losses = torch.where(sides == 1, distances**2, F.relu(1.5 - distances) ** 2)
    return getattr(losses, reduction)()


def losses():
    """Losses of some logits, with every option."""
    print(f"//! What PyTorch {torch.__version__.split('+')[0]} makes of losses. Written by `benches/peers/specials.py`.\n")
    generator = torch.Generator().manual_seed(7)
    x = 3 * torch.randn(6, 5, generator=generator)
    t = torch.rand(6, 5, generator=generator)
    labels, weight = torch.tensor([0, 4, 2, 2, 1, 3]), torch.tensor([1.0, 2.0, 0.5, 0.0, 3.0])
    ignored = torch.tensor([0, -1, 2, 2, -1, 3])
    constant("LOGITS", "Six rows of five.", "[f32; 30]", array(x.flatten().tolist()))
    constant("TARGETS", "What they should be, from 0 to 1.", "[f32; 30]", array(t.flatten().tolist()))
    a, b, c = (torch.randn(6, 5, generator=generator) for _ in range(3))
    a[1], b[4], a[5], c[0] = 0, 0, b[5], b[0] + 0.1
    sides = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    for name, values in {"ANCHORS": a, "SECONDS": b, "THIRDS": c}.items():
        constant(name, "Six vectors, of which some are zero, alike or close.", "[f32; 30]", array(values.flatten().tolist()))
    print("/// A loss and its gradient.")
    print("pub(crate) struct Loss { pub(crate) loss: f32, pub(crate) gradient: [f32; 30] }\n")
    cases = {}
    for reduction in ("mean", "sum"):
        end = "" if reduction == "mean" else "_SUM"
        to = {"reduction": reduction}
        cases[f"L1{end}"] = lambda x, to=to: F.l1_loss(x, t, **to)
        cases[f"SMOOTH_L1{end}"] = lambda x, to=to: F.smooth_l1_loss(x, t, beta=0.7, **to)
        cases[f"HUBER{end}"] = lambda x, to=to: F.huber_loss(x, t, delta=1.3, **to)
        pos = torch.full((5,), 2.5)
        cases[f"BINARY{end}"] = lambda x, to=to: F.binary_cross_entropy_with_logits(x, t, **to)
        cases[f"BINARY_POS{end}"] = lambda x, to=to: F.binary_cross_entropy_with_logits(x, t, pos_weight=pos, **to)
        cases[f"DIVERGENCE{end}"] = lambda x, to=to: F.kl_div(x, t, **to)
        cases[f"PLAIN{end}"] = lambda x, to=to: F.cross_entropy(x, labels, **to)
        cases[f"WEIGHTED{end}"] = lambda x, to=to: F.cross_entropy(x, labels, weight=weight, **to)
        cases[f"SMOOTHED{end}"] = lambda x, to=to: F.cross_entropy(x, labels, label_smoothing=0.2, **to)
        cases[f"IGNORED{end}"] = lambda x, to=to: F.cross_entropy(x, ignored, ignore_index=-1, **to)
        both = {"weight": weight, "label_smoothing": 0.3, "ignore_index": -1}
        cases[f"ALL{end}"] = lambda x, to=to, both=both: F.cross_entropy(x, ignored, **both, **to)
        cases[f"NLL{end}"] = lambda x, to=to: F.nll_loss(x, labels, **to)
        cases[f"NLL_WEIGHTED{end}"] = lambda x, to=to: F.nll_loss(x, labels, weight=weight, **to)
        some = {"weight": weight, "ignore_index": -1}
        cases[f"NLL_ALL{end}"] = lambda x, to=to, some=some: F.nll_loss(x, ignored, **some, **to)
        cases[f"PIXELS{end}"] = lambda x, to=to, some=some: F.nll_loss(pixels(x), pixels(ignored[:, None])[:, 0], **some, **to)
        cases[f"LIKELIHOOD{end}"] = lambda x, to=to, some=some: F.nll_loss(x.softmax(1).log(), ignored, **some, **to)
        cases[f"SOFT{end}"] = lambda x, to=to: F.cross_entropy(x, t, **to)
        cases[f"SOFT_WEIGHTED{end}"] = lambda x, to=to: F.cross_entropy(x, t, weight=weight, **to)
        cases[f"SOFT_SMOOTHED{end}"] = lambda x, to=to: F.cross_entropy(x, t, label_smoothing=0.2, **to)
        smooth = {"weight": weight, "label_smoothing": 0.3}
        cases[f"SOFT_ALL{end}"] = lambda x, to=to, smooth=smooth: F.cross_entropy(pixels(x), pixels(t), **smooth, **to)
        cases[f"FOCAL{end}"] = lambda x, to=to: focal(x, t.round(), **to)
        cases[f"DICE{end}"] = lambda x, to=to: dice(x, t.round(), **to)
        cases[f"COSINE{end}"] = lambda x, to=to: F.cosine_embedding_loss(x, b, sides, margin=0.2, **to)
        cases[f"CONTRASTIVE{end}"] = lambda x, to=to: contrastive(x, b, sides, **to)
        cases[f"TRIPLET{end}"] = lambda x, to=to: F.triplet_margin_loss(x, b, c, margin=1.5, **to)
        cases[f"TRIPLET_SWAP{end}"] = lambda x, to=to: F.triplet_margin_loss(x, b, c, margin=1.5, swap=True, **to)
    vectors = ("COSINE", "CONTRASTIVE", "TRIPLET")
    for name, function in cases.items():
        at = (a if name.startswith(vectors) else x).clone().requires_grad_()
        loss = function(at)
        loss.backward()
        fields = f"loss: {number(loss.item())}, gradient: {array(at.grad.flatten().tolist())}"
        constant(name, f"`{name.lower()}`", "Loss", f"Loss {{ {fields} }}")


def main():
    print(f"//! What PyTorch {torch.__version__.split('+')[0]} makes of special numbers. Written by `benches/peers/specials.py`.\n")
    print('#![allow(clippy::approx_constant, reason = "a loss of two equal classes is a logarithm, as any other number")]\n')
    for name in ("NAN", "INFINITY", "NEG_INFINITY", "MAX", "MIN"):
        print(f"const {name}: f32 = f32::{name};")
    print()
    inputs = torch.tensor(INPUTS)
    count = len(INPUTS)
    constant("INPUTS", "What the functions are called with.", f"[f32; {count}]", array(INPUTS))
    print("/// A function's values at [`INPUTS`], and its input's gradient where that of its output is 1, and infinite.")
    print(f"pub(crate) struct Function {{ pub(crate) values: [f32; {count}], pub(crate) gradients: [[f32; {count}]; 2] }}\n")
    for name, function in FUNCTIONS.items():
        values, gradients = values_and_gradients(function, inputs, [1.0, INF])
        fields = f"values: {array(values.tolist())}, gradients: [{', '.join(array(g.tolist()) for g in gradients)}]"
        constant(name, f"`{name.lower()}`", "Function", f"Function {{ {fields} }}")

    slopes = []
    for grad in (1.0, INF):
        slopes.append([])
        for x in INPUTS:
            weight = torch.tensor([0.25], requires_grad=True)
            F.prelu(torch.tensor([x]), weight).backward(torch.tensor([grad]))
            slopes[-1].append(weight.grad.item())
    doc = "The gradient of the weight of `prelu` by one input, for both gradients."
    constant("PRELU_WEIGHT", doc, f"[[f32; {count}]; 2]", f"[{', '.join(map(array, slopes))}]")

    pairs = [(a, b) for a in PAIRS for b in PAIRS]
    a, b = (torch.tensor(side) for side in zip(*pairs))
    ty = f"[f32; {len(pairs)}]"
    constant("A", "One side of the joins.", ty, array(a.tolist()))
    constant("B", "The other side.", ty, array(b.tolist()))
    constant("SUMS", "`a + b`", ty, array((a + b).tolist()))
    constant("PRODUCTS", "`a * b`", ty, array((a * b).tolist()))
    constant("RECTIFIED_SUMS", "`relu(a + b)`", ty, array(F.relu(a + b).tolist()))
    side = a.clone().requires_grad_()
    F.relu(side + b).sum().backward()
    constant("RECTIFIED_SLOPES", "The gradient of `relu(a + b)`.", ty, array(side.grad.tolist()))

    rows = torch.tensor(ROWS)
    ty = f"[[f32; 2]; {len(ROWS)}]"
    table = lambda values: "[" + ", ".join(array(row) for row in values.tolist()) + "]"
    constant("ROWS", "Logits of two classes.", ty, table(rows))
    for name, function in (("SOFTMAX", F.softmax), ("LOG_SOFTMAX", F.log_softmax)):
        x = rows.clone().requires_grad_()
        y = function(x, dim=1)
        y.backward(torch.tensor([1.0, 0.0]).expand_as(y))
        constant(name, f"`{name.lower()}`", ty, table(y.detach()))
        constant(f"{name}_GRADIENT", "The logits' gradient where the output's is `[1, 0]`.", ty, table(x.grad))
    for label in (0, 1):
        x = rows.clone().requires_grad_()
        losses = F.cross_entropy(x, torch.full((len(ROWS),), label), reduction="none")
        losses.sum().backward()
        constant(f"CROSS_ENTROPY_{label}", f"With label {label}.", f"[f32; {len(ROWS)}]", array(losses.tolist()))
        constant(f"CROSS_ENTROPY_{label}_GRADIENT", "The logits' gradient.", ty, table(x.grad))
    side = a.clone().requires_grad_()
    losses = F.mse_loss(side, b, reduction="none")
    losses.sum().backward()
    ty = f"[f32; {len(pairs)}]"
    constant("SQUARED_ERRORS", "The squared error of each pair.", ty, array(losses.tolist()))
    constant("SQUARED_ERRORS_GRADIENT", "The gradient of `a`.", ty, array(side.grad.tolist()))


if __name__ == "__main__":
    {"expressions": expressions, "losses": losses}.get(" ".join(sys.argv[1:]), main)()

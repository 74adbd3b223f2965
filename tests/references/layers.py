"""The cases in which minigrad's layers, activations, losses and functions are compared with PyTorch's.

minigrad.nn has PyTorch's API, so a case is code that runs unchanged on both: make_layers.py runs all of them with
PyTorch and writes layers.npz, and test_layer_references.py runs them with minigrad.  This module needs neither.

How a case is written::

    layer("Conv2d", 4, 6, 3, stride=2)((2, 4, 7, 6))     nn.Conv2d(4, 6, 3, stride=2) of an input of that shape
    function("gelu", approximate="tanh")((3, 4))         F.gelu(x, approximate="tanh")
    module("weight_norm", lambda nn: ...)((2, 3))        a module that is made of several calls
    expression("name", lambda nn, x: ..., (3, 4))        anything else that gives Tensors
    utility("name", lambda nn, parameters: ...)          something that writes to parameters or to their gradients
    number("name", lambda nn: ...)                       a plain number

An input is a shape, for which numbers are drawn; what `positive` and the like return; an array; a list of inputs, which
becomes a tuple; or `AGAIN`, the input before it.  Floating-point inputs are differentiated, unless they are `fixed`.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

CASES: dict[str, "Case"] = {}
AGAIN = "again"


class Framework(NamedTuple):
    """What the cases need besides an `nn`; `load` writes a dict of arrays into a module."""

    nn: Any
    leaf: Callable[[np.ndarray], Any]
    constant: Callable[[np.ndarray], Any]
    load: Callable[[Any, dict[str, np.ndarray]], None]


class Outcome(NamedTuple):
    """What a case gave: arrays by name, the shapes of the state_dict, and the names of the parameters in order."""

    results: dict[str, np.ndarray]
    state: dict[str, list[int]]
    parameters: list[str]


# Inputs


@dataclass(frozen=True)
class Drawn:
    """An input that is made of normal random numbers."""

    shape: tuple[int, ...]
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray
    kind: str = ""
    differentiated: bool = True

    def __str__(self) -> str:
        return "x".join(map(str, self.shape)) + self.kind or "scalar"


def positive(*shape):
    """Positive numbers."""
    return Drawn(shape, np.exp, "+")


def chances(*shape):
    """Numbers between 0 and 1."""
    return Drawn(shape, lambda z: 1 / (1 + np.exp(-z)), "p")


def distribution(*shape, axis=-1):
    """Numbers between 0 and 1 whose sum along the axis is 1."""
    return Drawn(shape, lambda z: np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True), "d")


def logarithms(*shape, axis=-1):
    """Logarithms of such numbers."""
    return Drawn(shape, lambda z: z - np.log(np.exp(z).sum(axis=axis, keepdims=True)), "l")


def spread(*shape):
    """Numbers that are larger than others by far."""
    return Drawn(shape, lambda z: 3 * z, "s")


def fixed(x):
    """An input that is not differentiated."""
    if isinstance(x, np.ndarray):
        return Drawn(x.shape, lambda z: x, "c", False)
    x = x if isinstance(x, Drawn) else Drawn(x)
    return Drawn(x.shape, x.transform, x.kind + "c", False)


def labels(*shape, classes=4, start=2):
    """Labels, all of which occur."""
    return (np.arange(start, start + int(np.prod(shape, dtype=int))) % classes).reshape(shape)


def signs(*shape):
    """1 and -1."""
    return fixed(np.where(labels(*shape, classes=3) == 1, -1.0, 1.0))


# Cases


@dataclass(frozen=True)
class Case:
    """One thing that is computed with both frameworks."""

    name: str
    kind: str
    make: Callable[..., Any]
    inputs: tuple[Any, ...] = ()
    call: dict[str, Any] = field(default_factory=dict)  # keyword arguments of the module
    parts: dict[str, np.ndarray] = field(default_factory=dict)  # Tensors that `make` needs
    method: str = "__call__"
    warmup: int = 0  # calls in training, with other numbers, before the one that counts
    evaluate: bool = False
    buffers: tuple[str, ...] = ()  # buffers that start as drawn unit vectors
    seed: str = ""  # what the numbers are drawn by, if not the name

    def drawn(self, shape, *names):
        """Normal random numbers that do not depend on the order of the cases."""
        seed = zlib.crc32(" ".join((self.seed or self.name, *names)).encode())
        return np.random.RandomState(seed).normal(size=shape)  # its numbers stay the same in all versions


def _add(case):
    assert case.name not in CASES, f"two cases are called {case.name!r}"
    CASES[case.name] = case


def _text(x):
    if isinstance(x, np.ndarray):
        return f"{x.dtype.kind}{'x'.join(map(str, x.shape))}"
    return str(x)


def _input_text(x):
    if isinstance(x, list):
        return f"({' '.join(map(_input_text, x))})"
    return _text(Drawn(x) if isinstance(x, tuple) else x)


def _name(name, args, options, inputs, how, tag):
    given = [*map(_text, args), *(f"{k}={_text(v)}" for k, v in options.items())]
    parts = [f"{name}({', '.join(given)})" if given else name, *map(_input_text, inputs)]
    return " ".join([*parts, *(f"{k}={_text(v)}" for k, v in how.items()), *([tag] if tag else [])])


def module(name, make, args=(), options=None, parts=None):
    """Cases of a module: what is returned is called with the inputs, the module's keyword arguments, or a Case's."""
    options = options or {}

    def on(*inputs, tag="", method="__call__", warmup=0, evaluate=False, buffers=(), seed="", **call):
        how = {"method": method, "warmup": warmup, "evaluate": evaluate}
        how = {k: v for k, v in how.items() if v not in ("__call__", 0)} | call
        full = _name(name, args, options, inputs, how, tag)
        _add(Case(full, "module", make, inputs, call, parts or {}, method, warmup, evaluate, buffers, seed))

    return on


def _split(options):
    arrays = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    return arrays, {k: v for k, v in options.items() if k not in arrays}


def layer(name, *args, **options):
    """Cases of one layer."""
    arrays, others = _split(options)
    return module(name, lambda nn, **parts: getattr(nn, name)(*args, **others, **parts), args, options, arrays)


def function(name, **options):
    """Cases of a function of nn.functional."""
    arrays, others = _split(options)

    def on(*inputs, tag=""):
        def make(nn, *inputs, **parts):
            return getattr(nn.functional, name)(*inputs, **others, **parts)

        _add(Case(_name(name, (), options, inputs, {}, tag), "expression", make, inputs, parts=arrays))

    return on


def both(layer_name, function_name, **options):
    """Cases of a layer without parameters, and of the function that it calls, with the same numbers."""

    def on(*inputs, tag=""):
        layer(layer_name, **options)(*inputs, tag=tag, seed=_name(function_name, (), options, inputs, {}, tag))
        function(function_name, **options)(*inputs, tag=tag)

    return on


def expression(name, make, *inputs):
    """A case that computes Tensors from inputs."""
    _add(Case(name, "expression", make, inputs))


def utility(name, make):
    """A case that changes parameters or gradients."""
    _add(Case(name, "utility", make))


def number(name, make):
    """A case that gives a number."""
    _add(Case(name, "number", make))


# Running them


def _flat(x):
    if isinstance(x, (tuple, list)):
        return [y for part in x for y in _flat(part)]
    return [] if x is None else [x]


def _array(x):
    return np.array(x.detach() if hasattr(x, "detach") else x)


def _gradient(x):
    """No gradient is a gradient of zeros."""
    return np.zeros(tuple(x.shape)) if x.grad is None else _array(x.grad)


def _entered(case, framework, tag=""):
    """The inputs as Tensors, and those of them that are differentiated."""
    leaves = []
    count = 0

    def enter(x):
        nonlocal count
        if isinstance(x, list):
            return tuple(map(enter, x))
        x = Drawn(x) if isinstance(x, tuple) else x
        differentiated = x.differentiated if isinstance(x, Drawn) else isinstance(x, np.ndarray) and x.dtype.kind == "f"
        if isinstance(x, Drawn):
            count += 1
            x = np.asarray(x.transform(case.drawn(x.shape, f"input {count}{tag}")))
        if not isinstance(x, np.ndarray):
            return x
        if not differentiated:
            return framework.constant(x)
        leaves.append(framework.leaf(x))
        return leaves[-1]

    inputs = []
    for x in case.inputs:
        inputs.append(inputs[-1] if x is AGAIN else enter(x))
    return inputs, leaves


def run(case, framework):
    """Compute a case."""
    if case.kind == "number":
        return Outcome({"number": np.array(float(case.make(framework.nn)))}, {}, [])
    if case.kind == "utility":
        return _run_utility(case, framework)
    parts = {k: framework.constant(v) for k, v in case.parts.items()}
    inputs, leaves = _entered(case, framework)
    if case.kind == "expression":
        return Outcome(_differentiated(case, framework, case.make(framework.nn, *inputs, **parts), leaves), {}, [])

    model = case.make(framework.nn, **parts)
    parameters = dict(model.named_parameters())
    values = {k: 0.5 * case.drawn(tuple(p.shape), k) for k, p in parameters.items()}
    for name, buffer in model.named_buffers():
        if name in case.buffers:
            vector = case.drawn(tuple(buffer.shape), name)
            values[name] = vector / np.linalg.norm(vector)
    framework.load(model, values)
    call = {k: framework.constant(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    for i in range(case.warmup):
        model(*_entered(case, framework, f" of call {i}")[0], **call)
    if case.evaluate:
        model.eval()
    results = _differentiated(case, framework, getattr(model, case.method)(*inputs, **call), leaves)
    results |= {f"gradient of {k}": _gradient(p) for k, p in parameters.items()}
    state = {k: _array(x) for k, x in model.state_dict().items()}
    # Parameters that keep what was drawn need no place in the archive.
    results |= {f"{k} afterwards": x for k, x in state.items() if k not in values or not np.array_equal(x, values[k])}
    return Outcome(results, {k: list(x.shape) for k, x in state.items()}, list(parameters))


def _differentiated(case, framework, outputs, leaves):
    """The outputs, and the gradients of their sum with drawn weights."""
    outputs = _flat(outputs)
    results = {f"output {i}": _array(x) for i, x in enumerate(outputs)}
    terms = [
        (x * framework.constant(case.drawn(tuple(x.shape), f"upstream {i}"))).sum()
        for i, x in enumerate(outputs)
        if getattr(x, "requires_grad", False)
    ]
    if terms:
        reduce(lambda a, b: a + b, terms).backward()
    return results | {f"gradient of input {i}": _gradient(x) for i, x in enumerate(leaves)}


def _run_utility(case, framework):
    parameters = [framework.nn.Parameter(framework.constant(case.drawn(s, str(s)))) for s in ((2, 3), (4,))]
    for x in parameters:
        x.grad = framework.constant(case.drawn(tuple(x.shape), "gradient", str(tuple(x.shape))))
    results = {f"output {i}": _array(x) for i, x in enumerate(_flat(case.make(framework.nn, parameters)))}
    results |= {f"parameter {i}": _array(x) for i, x in enumerate(parameters)}
    return Outcome(results | {f"gradient {i}": _gradient(x) for i, x in enumerate(parameters)}, {}, [])


# Linear layers and containers

for inputs in ((3,), (4, 3), (2, 4, 3)):
    layer("Linear", 3, 2)(inputs)
    layer("Linear", 3, 2, bias=False)(inputs)
    function("linear")(inputs, (2, 3), (2,))
    function("linear")(inputs, (2, 3))
for bias in (True, False):
    layer("Bilinear", 3, 4, 2, bias=bias)((5, 3), (5, 4))
layer("Bilinear", 3, 4, 2)((2, 5, 3), (2, 5, 4))
layer("Bilinear", 3, 4, 2)((3,), (4,))
function("bilinear")((5, 3), (5, 4), (2, 3, 4), (2,))
function("bilinear")((5, 3), (5, 4), (2, 3, 4))
layer("Identity")((2, 3))
layer("Identity", 7, unused=True)((2, 3))
layer("Flatten")((2, 3, 4))
layer("Flatten", 0)((2, 3, 4))
layer("Flatten", 0, 1)((2, 3, 2, 2))
layer("Flatten", start_dim=-2)((2, 3, 2, 2))
layer("Flatten", 1, -2)((2, 3, 2, 2))
layer("Unflatten", 1, (2, 3))((2, 6))
layer("Unflatten", -1, (2, -1))((2, 6))
layer("Unflatten", 0, (3, 1, 2))((6, 2))
mlp = module("Sequential", lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.LogSoftmax(1)))
mlp((5, 3))
nested = module(
    "Sequential nested", lambda nn: nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2))
)
nested((5, 3))
module(
    "Sequential convolutional",
    lambda nn: nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, bias=False),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 3),
    ),
)((3, 1, 4, 4), warmup=1)
module("Sequential empty", lambda nn: nn.Sequential())((2, 3))

# Convolutions

for d, size in ((1, (7,)), (2, (5, 6)), (3, (3, 3, 4))):
    conv, kernel, batch = f"Conv{d}d", 3 if d < 3 else 2, (2 if d < 3 else 1, 2, *size)
    layer(conv, 2, 3, kernel)(batch)
    layer(conv, 2, 3, kernel)((2, *size))
    layer(conv, 2, 3, 1)(batch)
    layer(conv, 2, 3, kernel, bias=False)(batch)
    layer(conv, 2, 3, kernel, stride=2)(batch)
    layer(conv, 2, 3, kernel, stride=2, padding=1)(batch)
    layer(conv, 2, 3, kernel, stride=3, padding=2)(batch)
    layer(conv, 2, 3, kernel, padding=1, dilation=2)(batch)
    layer(conv, 2, 4, kernel, groups=2)(batch)
    layer(conv, 2, 2, kernel, groups=2, stride=2, padding=1)(batch)
    layer(conv, 4, 6, 2, groups=2, dilation=2)((1, 4, *size))
    layer(conv, 2, 3, kernel, padding="valid")(batch)
    layer(conv, 2, 3, kernel, padding="same")(batch)
    layer(conv, 2, 2, 2, padding="same")(batch)
    layer(conv, 2, 2, 2, padding="same", dilation=3)(batch)
    layer(conv, 1, 1, 4, padding="same")((1, 1, *size))
    for mode in ("zeros", "reflect", "replicate", "circular"):
        layer(conv, 2, 2, kernel, padding=1, padding_mode=mode)(batch)
        layer(conv, 1, 2, 2, padding="same", padding_mode=mode)((1, 1, *size))
        layer(conv, 1, 2, 2, padding=2, stride=2, padding_mode=mode)((1, 1, *size))
    lower = f"conv{d}d"
    function(lower)(batch, (3, 2, *[2] * d), (3,))
    function(lower)(batch, (3, 2, *[2] * d))
    function(lower, stride=2, padding=1, dilation=2)(batch, (3, 2, *[2] * d), (3,))
    function(lower, groups=2, padding="same")(batch, (4, 1, *[2] * d), (4,))
    function(lower)((2, *size), (3, 2, *[2] * d), (3,))
layer("Conv2d", 2, 3, (2, 3))((2, 2, 6, 7))
layer("Conv2d", 2, 3, (3, 1), stride=(1, 2), padding=(2, 0))((2, 2, 6, 7))
layer("Conv2d", 2, 3, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2))((2, 2, 6, 7))
layer("Conv2d", 2, 3, (4, 3), padding="same", dilation=(1, 2))((2, 2, 6, 7))
layer("Conv2d", 1, 2, (2, 3), padding=(2, 1), padding_mode="reflect")((2, 1, 6, 7))
layer("Conv2d", 1, 2, (3, 2), padding=(0, 2), padding_mode="circular")((2, 1, 6, 7))
layer("Conv3d", 1, 2, (1, 2, 3), stride=(1, 1, 2), padding=(1, 0, 1))((2, 1, 4, 3, 5))
layer("Conv3d", 1, 2, (1, 2, 3), padding="same", padding_mode="replicate")((1, 1, 4, 3, 5))
function("conv2d", stride=(2, 1), padding=(0, 1))((2, 2, 6, 7), (3, 2, 3, 2), (3,))

for d, size in ((1, (5,)), (2, (3, 4)), (3, (2, 2, 2))):
    conv, kernel, batch = f"ConvTranspose{d}d", 3 if d < 3 else 2, (2 if d < 3 else 1, 2, *size)
    layer(conv, 2, 3, kernel)(batch)
    layer(conv, 2, 3, kernel)((2, *size))
    layer(conv, 2, 3, kernel, bias=False)(batch)
    layer(conv, 2, 3, kernel, stride=2)(batch)
    layer(conv, 2, 3, kernel, stride=2, padding=1)(batch)
    layer(conv, 2, 3, kernel, stride=2, padding=1, output_padding=1)(batch)
    layer(conv, 2, 3, kernel, dilation=2)(batch)
    layer(conv, 2, 3, kernel, stride=2, dilation=2, padding=2, output_padding=1)(batch)
    layer(conv, 2, 4, kernel, groups=2)(batch)
    layer(conv, 4, 4, 2, groups=4, stride=3)((1, 4, *size))
    layer(conv, 2, 3, 2, stride=3)(batch)
    # Both sizes are possible: the output_size chooses.
    least = [3 * (n - 1) + 2 for n in size]
    layer(conv, 2, 2, 2, stride=3)(batch, output_size=tuple(n + 1 for n in least))
    layer(conv, 2, 2, 2, stride=3)(batch, output_size=(2, 2, *(n + 2 for n in least)))
    lower = f"conv_transpose{d}d"
    function(lower)(batch, (2, 3, *[2] * d), (3,))
    function(lower)(batch, (2, 3, *[2] * d))
    function(lower, stride=2, padding=1, output_padding=1, dilation=2)(batch, (2, 3, *[2] * d), (3,))
    function(lower, groups=2)(batch, (2, 2, *[2] * d), (4,))
    function(lower)((2, *size), (2, 3, *[2] * d), (3,))
layer("ConvTranspose2d", 2, 3, (2, 3), stride=(2, 1), padding=(0, 1), output_padding=(1, 0))((2, 2, 3, 4))
layer("ConvTranspose2d", 2, 3, (3, 2), dilation=(1, 3))((2, 2, 3, 4))
# output_padding up to the dilation, beyond the stride: what the padding had taken off comes back, and then zeros.
layer("ConvTranspose1d", 2, 3, 2, dilation=3, output_padding=2)((2, 2, 5))
layer("ConvTranspose1d", 2, 3, 2, dilation=4, padding=2, output_padding=1)((2, 2, 5))
layer("ConvTranspose1d", 2, 4, 2, dilation=4, padding=2, output_padding=3, groups=2)((2, 2, 5))
layer("ConvTranspose1d", 2, 3, 1, dilation=8, padding=2, output_padding=6)((2, 2, 1))
layer("ConvTranspose1d", 2, 3, 2, stride=2, dilation=5, padding=1, output_padding=4)((2, 2, 3))
layer("ConvTranspose2d", 2, 3, 2, stride=(1, 3), dilation=(3, 1), padding=1, output_padding=2)((2, 2, 3, 4))
layer("ConvTranspose3d", 2, 3, 2, dilation=2, output_padding=1)((1, 2, 2, 2, 2))
function("conv_transpose2d", dilation=2, output_padding=(1, 0))((2, 2, 3, 4), (2, 3, 2, 2), (3,))

# Pooling

for d, size in ((1, (8,)), (2, (5, 6)), (3, (3, 4, 5))):
    batch = (2, 2, *size) if d < 3 else (1, 2, *size)
    for options in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 2, "stride": 3},
        {"kernel_size": 2, "stride": 1, "dilation": 2},
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
    ):
        both(f"MaxPool{d}d", f"max_pool{d}d", **options)(batch)
        function(f"max_pool{d}d", **options, return_indices=True)(batch)
    layer(f"MaxPool{d}d", 2, return_indices=True)(batch)
    layer(f"MaxPool{d}d", 2)(batch[1:])
    for options in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 2, "stride": 3},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
        *({"kernel_size": 2, "padding": p, "ceil_mode": True, "divisor_override": 3} for p in (0, 1) if d > 1),
    ):
        both(f"AvgPool{d}d", f"avg_pool{d}d", **options)(batch)
    layer(f"AvgPool{d}d", 2)(batch[1:])
    for outputs in ((1, 3, 5, 8, 10), (1, 3, 4, 6), (1, 2, 3))[d - 1]:
        both(f"AdaptiveAvgPool{d}d", f"adaptive_avg_pool{d}d", output_size=outputs)(batch)
        both(f"AdaptiveMaxPool{d}d", f"adaptive_max_pool{d}d", output_size=outputs)(batch)
    function(f"adaptive_max_pool{d}d", output_size=3, return_indices=True)(batch)
    layer(f"AdaptiveMaxPool{d}d", 3, return_indices=True)(batch)
    layer(f"AdaptiveAvgPool{d}d", 3)(batch[1:])
    layer(f"AdaptiveMaxPool{d}d", 3)(batch[1:])
    for norm, shape in ((2.0, batch), (1.0, positive(*batch)), (3.0, positive(*batch)), (1.5, positive(*batch))):
        both(f"LPPool{d}d", f"lp_pool{d}d", norm_type=norm, kernel_size=2)(shape)
    both(f"LPPool{d}d", f"lp_pool{d}d", norm_type=2.0, kernel_size=3, stride=2)(batch)
    both(f"LPPool{d}d", f"lp_pool{d}d", norm_type=2.0, kernel_size=3, stride=2, ceil_mode=True)(batch)
both("MaxPool2d", "max_pool2d", kernel_size=(2, 3), stride=(2, 1), padding=(0, 1), dilation=(2, 1))((2, 2, 6, 7))
both("MaxPool3d", "max_pool3d", kernel_size=(1, 2, 3), stride=(1, 2, 1), padding=(0, 1, 1))((1, 2, 4, 5, 4))
both("AvgPool2d", "avg_pool2d", kernel_size=(2, 3), stride=(2, 1), padding=(0, 1))((2, 2, 6, 7))
both("AvgPool3d", "avg_pool3d", kernel_size=(1, 2, 3), stride=(1, 2, 1), padding=(0, 1, 1))((1, 2, 4, 5, 4))
both("LPPool2d", "lp_pool2d", norm_type=2.0, kernel_size=(2, 3), stride=(1, 2))((2, 2, 6, 7))
for outputs in ((2, 3), (None, 3), (4, None)):
    both("AdaptiveAvgPool2d", "adaptive_avg_pool2d", output_size=outputs)((2, 2, 6, 7))
    both("AdaptiveMaxPool2d", "adaptive_max_pool2d", output_size=outputs)((2, 2, 6, 7))
for outputs in ((2, 3, 4), (None, 3, 1)):
    both("AdaptiveAvgPool3d", "adaptive_avg_pool3d", output_size=outputs)((1, 2, 4, 5, 4))
    both("AdaptiveMaxPool3d", "adaptive_max_pool3d", output_size=outputs)((1, 2, 4, 5, 4))

PLACES = np.array([[[0, 9, 4], [13, 20, 17]], [[7, 2, 11], [18, 14, 23]]])  # in 4x6, each in its own 2x2 window
layer("MaxUnpool2d", 2)((1, 2, 2, 3), PLACES[None])
layer("MaxUnpool2d", 2)((2, 2, 3), PLACES)
layer("MaxUnpool2d", 2)((1, 2, 2, 3), PLACES[None], output_size=(5, 6))
layer("MaxUnpool2d", (3, 2), stride=2, padding=(1, 0))((1, 2, 2, 3), PLACES[None] % 18)
function("max_unpool2d", kernel_size=2)((1, 2, 2, 3), PLACES[None])
layer("MaxUnpool1d", 2)((1, 2, 2), np.array([[[1, 2], [0, 3]]]))
layer("MaxUnpool3d", 2)((1, 1, 1, 1, 2), np.array([[[[[13, 2]]]]]))
for d, size in ((1, (7,)), (2, (5, 6)), (3, (3, 4, 5))):

    def unpooled(nn, x, d=d):
        y, places = getattr(nn.functional, f"max_pool{d}d")(x, 2, return_indices=True)
        return getattr(nn.functional, f"max_unpool{d}d")(y, places, 2, output_size=x.shape)

    expression(f"max_unpool{d}d of max_pool{d}d", unpooled, (1, 2, *size))

# Normalization

for d, shapes in ((1, ((5, 3), (4, 3, 2))), (2, ((3, 3, 2, 2),)), (3, ((2, 3, 2, 1, 2),))):
    norm = f"BatchNorm{d}d"
    for shape in shapes:
        layer(norm, 3)(shape)
        layer(norm, 3)(shape, warmup=2)
        layer(norm, 3)(shape, warmup=2, evaluate=True)
        layer(norm, 3)(shape, evaluate=True)
        layer(norm, 3, eps=0.1, momentum=0.3)(shape, warmup=2, evaluate=True)
        layer(norm, 3, momentum=None)(shape, warmup=2)
        layer(norm, 3, momentum=None)(shape, warmup=3, evaluate=True)
        layer(norm, 3, momentum=0.0)(shape, warmup=1)
        layer(norm, 3, affine=False)(shape, warmup=1)
        layer(norm, 3, affine=False)(shape, warmup=1, evaluate=True)
        layer(norm, 3, track_running_stats=False)(shape)
        layer(norm, 3, track_running_stats=False)(shape, warmup=1, evaluate=True)
        layer(norm, 3, affine=False, track_running_stats=False)(shape)
for shape in ((5, 3), (4, 3, 2), (3, 3, 2, 2)):
    state = (fixed((3,)), fixed(positive(3)))
    function("batch_norm")(shape, *state)
    function("batch_norm")(shape, *state, (3,), (3,))
    function("batch_norm", training=True, eps=0.01)(shape, *state, (3,), (3,))
    function("batch_norm", training=True)(shape, None, None, (3,), (3,))
    function("batch_norm", training=True)(shape, None, None)


def batch_norm_in_place(nn, x, mean, var):
    return nn.functional.batch_norm(x, mean, var, training=True, momentum=0.3), mean, var


expression("batch_norm updates running statistics", batch_norm_in_place, (5, 3), fixed((3,)), fixed(positive(3)))

for shape, normalized in (((4, 3), 3), ((2, 4, 3), (3,)), ((2, 4, 3), (4, 3)), ((2, 2, 3, 2), (2, 3, 2)), ((3,), 3)):
    for options in ({}, {"elementwise_affine": False}, {"bias": False}, {"eps": 0.1}):
        layer("LayerNorm", normalized, **options)(shape)
    for options in ({}, {"elementwise_affine": False}, {"eps": 0.1}):
        layer("RMSNorm", normalized, **options)(shape)
function("layer_norm", normalized_shape=(3,))((2, 4, 3))
function("layer_norm", normalized_shape=(4, 3), eps=0.01)((2, 4, 3), tag="eps")
expression(
    "layer_norm weight and bias",
    lambda nn, x, w, b: nn.functional.layer_norm(x, (4, 3), w, b, 0.1),
    (2, 4, 3),
    (4, 3),
    (4, 3),
)
expression("layer_norm bias only", lambda nn, x, b: nn.functional.layer_norm(x, (3,), None, b), (2, 3), (3,))
function("rms_norm", normalized_shape=(3,))((2, 4, 3))
expression("rms_norm weight", lambda nn, x, w: nn.functional.rms_norm(x, (4, 3), w, 0.1), (2, 4, 3), (4, 3))
expression("layer_norm of equal numbers", lambda nn, x: nn.functional.layer_norm(x, (3,)), np.full((2, 3), 1.5))
expression("rms_norm of zeros", lambda nn, x: nn.functional.rms_norm(x, (3,), eps=0.1), np.zeros((2, 3)))

for shape in ((3, 4), (2, 4, 3), (2, 4, 2, 2), (1, 4, 2, 1, 2)):
    for groups in (1, 2, 4) if len(shape) > 2 else (1, 2):
        layer("GroupNorm", groups, 4)(shape)
    layer("GroupNorm", 2, 4, affine=False)(shape)
    layer("GroupNorm", 2, 4, eps=0.1)(shape)
expression(
    "group_norm weight and bias", lambda nn, x, w, b: nn.functional.group_norm(x, 2, w, b, 0.1), (2, 4, 3), (4,), (4,)
)
function("group_norm", num_groups=2)((2, 4, 3))

for d, size in ((1, (4,)), (2, (2, 3)), (3, (2, 2, 2))):
    norm, batch = f"InstanceNorm{d}d", (2, 3, *size)
    layer(norm, 3)(batch)
    layer(norm, 3)(batch, evaluate=True)
    layer(norm, 3)((3, *size))
    layer(norm, 3, affine=True)(batch)
    layer(norm, 3, affine=True, eps=0.1)(batch)
    layer(norm, 3, track_running_stats=True)(batch, warmup=2)
    layer(norm, 3, track_running_stats=True)(batch, warmup=2, evaluate=True)
    layer(norm, 3, affine=True, track_running_stats=True, momentum=0.3)(batch, warmup=1, evaluate=True)
    layer(norm, 3, affine=True, track_running_stats=True)((3, *size), warmup=1)
function("instance_norm")((2, 3, 4))
function("instance_norm", eps=0.1)((2, 3, 4), None, None, (3,), (3,))
function("instance_norm", use_input_stats=False)((2, 3, 4), fixed((3,)), fixed(positive(3)), (3,), (3,))

for shape in ((2, 5, 3), (1, 4, 2, 2), (1, 4, 2, 1, 2)):
    for size in (1, 2, 3):
        both("LocalResponseNorm", "local_response_norm", size=size)(shape)
    both("LocalResponseNorm", "local_response_norm", size=3, alpha=0.7, beta=0.6, k=2.0)(shape)
    both("LocalResponseNorm", "local_response_norm", size=4, alpha=0.7)(shape)

# Dropout, where it draws nothing

for name, lower, shape in (
    ("Dropout", "dropout", (2, 3)),
    ("Dropout1d", "dropout1d", (2, 3, 2)),
    ("Dropout2d", "dropout2d", (2, 3, 2, 2)),
    ("Dropout3d", "dropout3d", (2, 2, 1, 2, 2)),
    ("AlphaDropout", "alpha_dropout", (2, 3)),
    ("FeatureAlphaDropout", "feature_alpha_dropout", (2, 3, 2)),
):
    layer(name)(shape, evaluate=True)
    layer(name, 0.9)(shape, evaluate=True)
    layer(name, p=0.0)(shape)
    function(lower, p=0.0, training=True)(shape)
    function(lower, p=0.5, training=False)(shape)
layer("Dropout", p=1.0)((2, 3))
function("dropout", p=1.0)((2, 3))

# Embeddings

WORDS = np.array([[1, 2, 1, 0], [5, 2, 4, 1]])
for options in (
    {},
    {"padding_idx": 2},
    {"padding_idx": -1},
    {"max_norm": 0.6},
    {"max_norm": 0.9, "norm_type": 1.0},
    {"max_norm": 0.5, "norm_type": 3.0, "padding_idx": 1},
    {"scale_grad_by_freq": True},
    {"scale_grad_by_freq": True, "padding_idx": 1},
):
    layer("Embedding", 6, 3, **options)(WORDS)
layer("Embedding", 6, 3)(WORDS[0])
layer("Embedding", 6, 3)(np.array(4))
for options in ({}, {"padding_idx": 2}, {"padding_idx": -2}, {"scale_grad_by_freq": True}):
    function("embedding", **options)(WORDS, (6, 3))


def pretrained(nn, words, weight):
    return nn.Embedding.from_pretrained(weight, padding_idx=1)(words)


expression("Embedding.from_pretrained", pretrained, WORDS, fixed((6, 3)))

BAGS, LINE = np.array([0, 3, 3, 5]), WORDS.ravel()  # the second bag is empty
for mode in ("sum", "mean", "max"):
    layer("EmbeddingBag", 6, 3, mode=mode)(WORDS)
    layer("EmbeddingBag", 6, 3, mode=mode)(LINE, BAGS)
    layer("EmbeddingBag", 6, 3, mode=mode, include_last_offset=True)(LINE, np.array([0, 3, 3, 5, 8]))
    layer("EmbeddingBag", 6, 3, mode=mode, padding_idx=1)(WORDS)
    layer("EmbeddingBag", 6, 3, mode=mode, padding_idx=1)(LINE, BAGS)
    layer("EmbeddingBag", 6, 3, mode=mode, padding_idx=1)(np.array([[1, 1], [2, 1]]))  # a bag of nothing but padding
    layer("EmbeddingBag", 6, 3, mode=mode, max_norm=0.6)(LINE, BAGS)
    function("embedding_bag", mode=mode)(WORDS, (6, 3))
    function("embedding_bag", mode=mode)(LINE, (6, 3), BAGS)
layer("EmbeddingBag", 6, 3)(WORDS)
# Not scale_grad_by_freq: PyTorch 2.13 divides by the counts of other rows than those that the gradients belong to.
layer("EmbeddingBag", 6, 3, mode="sum")(WORDS, None, (2, 4))
layer("EmbeddingBag", 6, 3, mode="sum")(LINE, BAGS, (8,))
layer("EmbeddingBag", 6, 3, mode="sum", padding_idx=1)(LINE, BAGS, (8,))
layer("EmbeddingBag", 6, 3, mode="sum", include_last_offset=True)(LINE, np.array([0, 3, 3, 5, 8]), (8,))
expression(
    "embedding_bag per_sample_weights",
    lambda nn, words, weight, each: nn.functional.embedding_bag(words, weight, mode="sum", per_sample_weights=each),
    WORDS,
    (6, 3),
    (2, 4),
)

# Recurrent layers

for name in ("RNN", "LSTM", "GRU"):
    for options in (
        {},
        {"bias": False},
        {"num_layers": 2},
        {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True},
        {"batch_first": True},
        {"batch_first": True, "bidirectional": True},
        *([{"nonlinearity": "relu"}, {"nonlinearity": "relu", "num_layers": 2}] if name == "RNN" else []),
        *([{"proj_size": 2}, {"proj_size": 2, "num_layers": 2, "bidirectional": True}] if name == "LSTM" else []),
    ):
        hidden = options.get("proj_size", 3)
        states = options.get("num_layers", 1) * (1 + options.get("bidirectional", 0))
        for sequences in ((2, 4, 2), (4, 2)):
            recurrent = layer(name, 2, 3, **options)
            recurrent(sequences)
            many = (2 if "batch_first" in options else 4,) if len(sequences) == 3 else ()
            start = [(states, *many, hidden), (states, *many, 3)]
            recurrent(sequences, start if name == "LSTM" else start[0])
    layer(name, 2, 3)((1, 2, 2))
    for options in ({}, {"bias": False}, *([{"nonlinearity": "relu"}] if name == "RNN" else [])):
        cell = layer(f"{name}Cell", 2, 3, **options)
        cell((4, 2))
        cell((2,))
        cell((4, 2), [(4, 3), (4, 3)] if name == "LSTM" else (4, 3))
        cell((2,), [(3,), (3,)] if name == "LSTM" else (3,))

# Attention

CAUSAL = np.triu(np.ones((3, 3), bool), 1)  # True is masked
PADDING = np.array([[False, False, True], [False, False, False]])
HOLES = np.array([[False, True, False], [False, False, True], [True, False, False]])


def floats(mask):
    """The mask that is added to the scores."""
    return np.where(mask, -np.inf, 0.0)


BUMPS = np.array([[0.0, 0.5, -np.inf], [1.0, -2.0, 0.3], [-np.inf, 0.1, 0.0]])
SELF = ((3, 2, 4), AGAIN, AGAIN)
mha = layer("MultiheadAttention", 4, 2)
mha(*SELF)
mha((3, 4), AGAIN, AGAIN)
mha((3, 2, 4), (5, 2, 4), (5, 2, 4))
mha((3, 2, 4), (5, 2, 4), AGAIN)
mha((3, 4), (5, 4), AGAIN)
for weights in (True, False):
    mha(*SELF, need_weights=weights)
    mha(*SELF, need_weights=weights, key_padding_mask=PADDING)
    mha(*SELF, need_weights=weights, attn_mask=CAUSAL)
    mha(*SELF, need_weights=weights, attn_mask=floats(CAUSAL))
    mha(*SELF, need_weights=weights, attn_mask=BUMPS, tag="bumps")
    mha(*SELF, need_weights=weights, attn_mask=np.stack([CAUSAL, HOLES, HOLES.T, CAUSAL]))
    mha(*SELF, need_weights=weights, attn_mask=floats(np.stack([CAUSAL, HOLES, HOLES.T, CAUSAL])))
    mha(*SELF, need_weights=weights, attn_mask=CAUSAL, key_padding_mask=PADDING)
    mha(*SELF, need_weights=weights, attn_mask=BUMPS, key_padding_mask=floats(PADDING))
    mha(*SELF, need_weights=weights, attn_mask=CAUSAL, is_causal=True)
    mha(*SELF, need_weights=weights, attn_mask=CAUSAL, is_causal=True, key_padding_mask=PADDING)
    mha((3, 4), AGAIN, AGAIN, need_weights=weights, attn_mask=CAUSAL, key_padding_mask=PADDING[0])
mha(*SELF, average_attn_weights=False)
mha((3, 4), AGAIN, AGAIN, average_attn_weights=False)
mha(*SELF, average_attn_weights=False, attn_mask=HOLES, key_padding_mask=PADDING)
for options in (
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"batch_first": True},
):
    mha = layer("MultiheadAttention", 4, 2, **options)
    shape = (2, 3, 4) if "batch_first" in options else (3, 2, 4)
    mha(shape, AGAIN, AGAIN)
    mha(shape, AGAIN, AGAIN, need_weights=False)
    mha(shape, AGAIN, AGAIN, attn_mask=HOLES, key_padding_mask=PADDING)
    mha(shape, AGAIN, AGAIN, attn_mask=floats(HOLES), key_padding_mask=floats(PADDING))
    mha((3, 4), (3, 4), (3, 4))
mha = layer("MultiheadAttention", 4, 2, kdim=3, vdim=5)
mha((3, 2, 4), (2, 2, 3), (2, 2, 5))
mha((3, 2, 4), (2, 2, 3), (2, 2, 5), need_weights=False)
layer("MultiheadAttention", 4, 2, kdim=3, vdim=5, bias=False, add_bias_kv=True)((3, 2, 4), (2, 2, 3), (2, 2, 5))
layer("MultiheadAttention", 4, 4, kdim=3, batch_first=True)((2, 3, 4), (2, 5, 3), (2, 5, 4))
layer("MultiheadAttention", 4, 1)(*SELF)

attention, QKV = "scaled_dot_product_attention", ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 2))
ALLOWED = labels(3, 5, classes=3) > 0  # here True is not masked
function(attention)(*QKV)
function(attention)((3, 4), (5, 4), (5, 2))
function(attention)((2, 3, 4), (2, 5, 4), (2, 5, 2))
function(attention, scale=0.3)(*QKV)
function(attention, is_causal=True)(*QKV)
function(attention, is_causal=True)((2, 5, 4), (2, 3, 4), (2, 3, 4))
function(attention, is_causal=True, scale=1.0)((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4))
function(attention)(*QKV, ALLOWED)
function(attention)(*QKV, labels(2, 1, 3, 5, classes=4) > 0)
function(attention)(*QKV, fixed((3, 5)))
function(attention)(*QKV, fixed((2, 2, 3, 5)))
function(attention)(*QKV, (3, 5))
function(attention)(*QKV, fixed(floats(~ALLOWED)), tag="infinite")
function(attention, scale=0.7)(*QKV, ALLOWED)
# A query that may attend to nothing gives zeros.
function(attention)(*QKV, ALLOWED & (np.arange(3) != 1)[:, None], tag="empty row")
function(attention, enable_gqa=True)((2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 3))
function(attention, enable_gqa=True, is_causal=True)((1, 6, 3, 2), (1, 2, 3, 2), (1, 2, 3, 2))
function(attention, enable_gqa=True)((1, 4, 3, 4), (1, 1, 5, 4), (1, 1, 5, 4), ALLOWED)

SIZES = {"dim_feedforward": 5, "dropout": 0.0}
for options in (
    {},
    {"norm_first": True},
    {"activation": "gelu"},
    {"batch_first": True, "norm_first": True, "activation": "gelu"},
    {"bias": False},
    {"layer_norm_eps": 0.1},
):
    shape = (2, 3, 4) if "batch_first" in options else (3, 2, 4)
    memory = (2, 5, 4) if "batch_first" in options else (5, 2, 4)
    encoder = layer("TransformerEncoderLayer", 4, 2, **SIZES, **options)
    encoder(shape)
    encoder(shape, src_mask=floats(CAUSAL), is_causal=True)
    encoder(shape, src_mask=HOLES, src_key_padding_mask=PADDING)
    decoder = layer("TransformerDecoderLayer", 4, 2, **SIZES, **options)
    decoder(shape, memory)
    decoder(shape, memory, tgt_mask=CAUSAL, tgt_is_causal=True)
    decoder(
        shape,
        memory,
        tgt_mask=HOLES,
        memory_mask=labels(3, 5, classes=3) == 0,
        tgt_key_padding_mask=PADDING,
        memory_key_padding_mask=labels(2, 5, classes=7) == 0,
        tag="all masks",
    )
layer("TransformerEncoderLayer", 4, 2, **SIZES)((3, 4))
layer("TransformerEncoderLayer", 4, 2, **SIZES)((3, 2, 4), evaluate=True)
layer("TransformerDecoderLayer", 4, 2, **SIZES)((3, 4), (5, 4))
module(
    "TransformerEncoderLayer with a function",
    lambda nn: nn.TransformerEncoderLayer(4, 2, **SIZES, activation=nn.functional.silu),
)((3, 2, 4))


def encoder(nn, norm=True, **options):
    part = nn.TransformerEncoderLayer(4, 2, **SIZES, **options)
    return nn.TransformerEncoder(part, 2, norm=nn.LayerNorm(4) if norm else None, enable_nested_tensor=False)


def decoder(nn, norm=True, **options):
    part = nn.TransformerDecoderLayer(4, 2, **SIZES, **options)
    return nn.TransformerDecoder(part, 2, norm=nn.LayerNorm(4) if norm else None)


for options in ({}, {"norm": False}, {"batch_first": True, "norm_first": True}):
    shape = (2, 3, 4) if "batch_first" in options else (3, 2, 4)
    stack = module("TransformerEncoder", lambda nn, o=options: encoder(nn, **o), options=options)
    stack(shape)
    stack(shape, mask=floats(CAUSAL), is_causal=True)
    stack(shape, mask=HOLES, src_key_padding_mask=PADDING)
    stack = module("TransformerDecoder", lambda nn, o=options: decoder(nn, **o), options=options)
    stack(shape, shape)
    stack(shape, shape, tgt_mask=CAUSAL, memory_mask=HOLES, memory_key_padding_mask=PADDING)
for options in ({}, {"batch_first": True, "norm_first": True, "activation": "gelu"}, {"bias": False}):
    shape = (2, 3, 4) if "batch_first" in options else (3, 2, 4)
    whole = layer("Transformer", 4, 2, 1, 1, **SIZES, **options)
    whole(shape, shape)
    whole(shape, shape, src_mask=HOLES, tgt_mask=CAUSAL, memory_key_padding_mask=PADDING, tgt_is_causal=True)
layer("Transformer", 4, 2, 2, 1, **SIZES)((3, 2, 4), (2, 2, 4))
expression("Transformer.generate_square_subsequent_mask", lambda nn: nn.Transformer.generate_square_subsequent_mask(4))

# Activations, also where their derivatives jump, and where exp overflows

KINKS = np.array([-6.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0])
HUGE = np.array([-800.0, -50.0, -20.5, -1e-9, 1e-9, 19.5, 20.5, 50.0, 800.0])
for name, lower, *choices in (
    ("ELU", "elu", {}, {"alpha": 0.5}, {"alpha": 2.0}),
    ("CELU", "celu", {}, {"alpha": 0.5}, {"alpha": 2.0}),
    ("SELU", "selu", {}),
    ("GELU", "gelu", {}, {"approximate": "none"}, {"approximate": "tanh"}),
    ("Hardshrink", "hardshrink", {}, {"lambd": 1.0}, {"lambd": 0.0}),
    ("Softshrink", "softshrink", {}, {"lambd": 1.0}, {"lambd": 0.0}),
    ("Hardsigmoid", "hardsigmoid", {}),
    ("Hardswish", "hardswish", {}),
    ("Hardtanh", "hardtanh", {}, {"min_val": -2.0, "max_val": 0.5}),
    ("LeakyReLU", "leaky_relu", {}, {"negative_slope": 0.2}, {"negative_slope": -0.5}),
    ("LogSigmoid", "logsigmoid", {}),
    ("Mish", "mish", {}),
    ("ReLU", "relu", {}),
    ("ReLU6", "relu6", {}),
    ("SiLU", "silu", {}),
    ("Sigmoid", "sigmoid", {}),
    ("Softplus", "softplus", {}, {"beta": 2.0}, {"beta": 0.5, "threshold": 1.0}, {"beta": 2.0, "threshold": 4.0}),
    ("Softsign", "softsign", {}),
    ("Tanh", "tanh", {}),
    ("Tanhshrink", "tanhshrink", {}),
    ("Threshold", "threshold", {"threshold": 0.5, "value": 7.0}, {"threshold": -1.0, "value": -3.0}),
):
    for options in choices:
        for inputs in ((2, 3, 2), KINKS, HUGE):
            both(name, lower, **options)(inputs, tag="huge" if inputs is HUGE else "")
for options in ({}, {"lower": 0.1, "upper": 0.5}, {"lower": 0.2, "upper": 0.2}):
    for inputs in ((2, 3, 2), KINKS):
        layer("RReLU", **options)(inputs, evaluate=True)
        function("rrelu", **options)(inputs)
layer("RReLU", lower=0.2, upper=0.2)((2, 3))
for inputs in ((2, 3, 2), KINKS):
    layer("PReLU")(inputs)
    function("prelu")(inputs, (1,))
layer("PReLU", 3)((2, 3))
layer("PReLU", 3)((2, 3, 2, 2))
layer("PReLU", num_parameters=3)(np.where(labels(2, 3, 2) == 1, 0.0, -1.0))
function("prelu")((2, 3, 2), (3,))
for name, lower in (("Softmax", "softmax"), ("LogSoftmax", "log_softmax"), ("Softmin", "softmin")):
    for dim in (0, 1, -1):
        both(name, lower, dim=dim)((2, 3, 4))
    both(name, lower, dim=0)(HUGE)
    both(name, lower, dim=-1)(np.array([[0.0, -np.inf, 1.0], [2.0, 2.0, -1.0]]) * (-1 if name == "Softmin" else 1))
layer("Softmax2d")((2, 3, 2, 2))
layer("Softmax2d")((3, 2, 2))
for dim in (0, 1, -1):
    both("GLU", "glu", dim=dim)((2, 4, 6))
both("GLU", "glu")((3, 4))
both("GLU", "glu", dim=0)(HUGE[:8])

for options in ({"div_value": 2.0}, {"div_value": 1.5, "head_bias": True}):
    adaptive = layer("AdaptiveLogSoftmaxWithLoss", 4, 7, (2, 4), **options)
    adaptive((6, 4), labels(6, classes=7))
    adaptive((3, 4), np.array([0, 1, 5]))  # not all clusters
    adaptive((4,), np.array(3))
    adaptive((6, 4), method="log_prob")
    adaptive((6, 4), method="predict")
layer("AdaptiveLogSoftmaxWithLoss", 4, 5, [2], div_value=2.0)((5, 4), labels(5, classes=5))

# Losses

REDUCTIONS = ("mean", "sum", "none")


def loss(name, lower, *inputs, reductions=REDUCTIONS, tag="", **options):
    for reduction in reductions:
        both(name, lower, **options, reduction=reduction)(*inputs, tag=tag)


for shape in ((4, 3), (5,), (2, 3, 2)):
    loss("L1Loss", "l1_loss", shape, shape)
    loss("MSELoss", "mse_loss", shape, shape)
    loss("HuberLoss", "huber_loss", shape, shape)
    loss("HuberLoss", "huber_loss", shape, shape, delta=0.3)
    for beta in (1.0, 0.3, 0, 2.5):
        loss("SmoothL1Loss", "smooth_l1_loss", shape, shape, beta=beta)
NEAR = np.array([0.0, 1.0, -1.0, 0.5, 2.0, -0.5])
loss("L1Loss", "l1_loss", NEAR, np.zeros(6))
loss("HuberLoss", "huber_loss", NEAR, np.zeros(6))
loss("HuberLoss", "huber_loss", NEAR, np.zeros(6), delta=0.5)
for beta in (1.0, 0.5, 0.0):
    loss("SmoothL1Loss", "smooth_l1_loss", NEAR, np.zeros(6), beta=beta)
both("L1Loss", "l1_loss")((4, 3), (4, 3))
both("MSELoss", "mse_loss")((4, 3), (4, 3))
both("MSELoss", "mse_loss")((), ())

WEIGHT = np.array([0.5, 2.0, 1.25, 0.75])
for shape, places in (((4,), ()), ((5, 4), (5,)), ((3, 4, 2, 3), (3, 2, 3))):
    axis = 0 if len(shape) == 1 else 1
    for options in (
        {},
        {"weight": WEIGHT},
        {"ignore_index": 1},
        {"label_smoothing": 0.2},
        {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.2},
    ):
        loss("CrossEntropyLoss", "cross_entropy", spread(*shape), labels(*places), **options)
    for options in ({}, {"weight": WEIGHT}, {"label_smoothing": 0.2}, {"weight": WEIGHT, "label_smoothing": 0.2}):
        loss("CrossEntropyLoss", "cross_entropy", spread(*shape), distribution(*shape, axis=axis), **options)
    for options in ({}, {"weight": WEIGHT}, {"ignore_index": 1}, {"weight": WEIGHT, "ignore_index": 2}):
        loss("NLLLoss", "nll_loss", shape, labels(*places, start=3), **options)
both("CrossEntropyLoss", "cross_entropy")((5, 4), np.array([3, -100, 0, 1, -100]))
both("CrossEntropyLoss", "cross_entropy")((5, 4), distribution(5, 4))
both("CrossEntropyLoss", "cross_entropy")(np.array([[800.0, -800.0, 0.0]]), np.array([1]))
both("NLLLoss", "nll_loss")((5, 4), np.array([3, -100, 0, 1, -100]))
loss("NLLLoss", "nll_loss", (2, 4, 3), labels(2, 3), weight=WEIGHT)

WAYS = ("mean", "sum", "none", "batchmean")
for shape in ((4, 3), (3,), (2, 3, 2)):
    for target in (distribution(*shape), fixed(distribution(*shape))):
        loss("KLDivLoss", "kl_div", logarithms(*shape), target, reductions=WAYS)
    loss("KLDivLoss", "kl_div", logarithms(*shape), logarithms(*shape), reductions=WAYS, log_target=True)
ZEROED = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
loss("KLDivLoss", "kl_div", logarithms(2, 3), fixed(ZEROED), reductions=WAYS)

for shape in ((4, 3), (5,)):
    for target in (chances(*shape), fixed(1.0 * (labels(*shape) > 1))):
        loss("BCELoss", "binary_cross_entropy", chances(*shape), target)
        loss("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", spread(*shape), target)
loss("BCELoss", "binary_cross_entropy", chances(4, 3), chances(4, 3), weight=WEIGHT[:3])
loss("BCELoss", "binary_cross_entropy", chances(2, 4), chances(2, 4), weight=np.stack([WEIGHT, 2 * WEIGHT]))
# Logarithms of 0 are cut off at -100.
loss("BCELoss", "binary_cross_entropy", np.array([0.0, 1.0, 0.0, 1.0, 0.5]), fixed(np.array([0.0, 1.0, 1.0, 0.0, 1.0])))
for options in (
    {"weight": WEIGHT[:3]},
    {"pos_weight": WEIGHT[:3]},
    {"weight": WEIGHT[:3], "pos_weight": np.array([2.0])},
    {"pos_weight": np.array([[3.0], [0.5], [1.0], [2.0]])},
):
    loss("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", (4, 3), chances(4, 3), **options)
ONES = fixed(1.0 * (labels(len(HUGE)) > 1))
loss("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", HUGE, ONES)
loss("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", HUGE, ONES, pos_weight=np.array(3.0))

for target in (positive(3, 4), fixed(1.0 * labels(3, 4))):
    for options in (
        {},
        {"log_input": False},
        {"full": True},
        {"log_input": False, "full": True},
        {"log_input": False, "eps": 0.1},
    ):
        loss("PoissonNLLLoss", "poisson_nll_loss", positive(3, 4), target, **options)
for variance in (positive(4, 3), positive(4, 1), positive(4)):
    for options in ({}, {"full": True}, {"eps": 0.5}):
        loss("GaussianNLLLoss", "gaussian_nll_loss", (4, 3), (4, 3), variance, **options)
loss("GaussianNLLLoss", "gaussian_nll_loss", (4,), (4,), np.array([1.0, 1e-9, 0.0, 2.0]), eps=1e-3)

for options in ({}, {"margin": 0.5}, {"margin": -0.2}):
    loss("MarginRankingLoss", "margin_ranking_loss", (7,), (7,), signs(7), **options)
    loss("MarginRankingLoss", "margin_ranking_loss", (3, 2), (3, 2), signs(3, 2), **options)
loss("MarginRankingLoss", "margin_ranking_loss", np.array([1.0, 2.0]), np.array([1.0, 2.0]), signs(2))
for options in ({}, {"margin": 0.5}):
    loss("HingeEmbeddingLoss", "hinge_embedding_loss", spread(7), signs(7), **options)
    loss("HingeEmbeddingLoss", "hinge_embedding_loss", spread(3, 2), signs(3, 2), **options)
loss("HingeEmbeddingLoss", "hinge_embedding_loss", np.array([1.0, 0.0, 2.0]), fixed(-np.ones(3)))
loss("MultiLabelMarginLoss", "multilabel_margin_loss", (2, 4), np.array([[3, 0, -1, 1], [1, -1, 2, 0]]))
loss("MultiLabelMarginLoss", "multilabel_margin_loss", (4,), np.array([2, 1, 0, -1]))
loss("MultiLabelMarginLoss", "multilabel_margin_loss", (2, 3), np.array([[-1, 0, 1], [0, 1, 2]]))
for shape in ((3, 4), (4,)):
    loss("SoftMarginLoss", "soft_margin_loss", spread(*shape), signs(*shape))
    for options in ({}, {"weight": WEIGHT}):
        target = fixed(1.0 * (labels(*shape) > 1))
        loss("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss", spread(*shape), target, **options)
loss("SoftMarginLoss", "soft_margin_loss", HUGE[1:-1], signs(7))  # PyTorch overflows at 800
for options in ({}, {"margin": 0.3}, {"margin": -0.5}):
    loss("CosineEmbeddingLoss", "cosine_embedding_loss", (6, 3), (6, 3), signs(6), **options)
    for sign in (1.0, -1.0):
        target = fixed(np.array(sign))
        loss("CosineEmbeddingLoss", "cosine_embedding_loss", (3,), (3,), target, tag=str(sign), **options)
for options in (
    {},
    {"p": 2},
    {"margin": 0.4},
    {"weight": WEIGHT},
    {"p": 2, "margin": 1.5, "weight": WEIGHT},
):
    loss("MultiMarginLoss", "multi_margin_loss", (5, 4), labels(5), **options)
    loss("MultiMarginLoss", "multi_margin_loss", (4,), np.array(2), **options)
for options in (
    {},
    {"margin": 0.4},
    {"p": 1.0},
    {"p": 3.0, "margin": 2.0},
    {"swap": True, "margin": 2.0},
    {"swap": True, "p": 1.0},
    {"eps": 0.1},
):
    loss("TripletMarginLoss", "triplet_margin_loss", (5, 3), (5, 3), (5, 3), **options)
loss("TripletMarginLoss", "triplet_margin_loss", (3,), (3,), (3,), margin=3.0)
loss("TripletMarginLoss", "triplet_margin_loss", (2, 4, 3), (2, 4, 3), (2, 4, 3), margin=1.5)


def distance(nn, kind):
    if kind == "p=1":
        return nn.PairwiseDistance(p=1.0)
    return (lambda a, b: 1.0 - nn.functional.cosine_similarity(a, b)) if kind == "cosine" else None


for kind in ("default", "p=1", "cosine"):
    for options in ({}, {"margin": 2.0}, {"margin": 2.0, "swap": True}):
        for reduction in REDUCTIONS:
            how = {**options, "reduction": reduction}

            def with_layer(nn, kind=kind, how=how):
                return nn.TripletMarginWithDistanceLoss(distance_function=distance(nn, kind), **how)

            def with_function(nn, a, p, n, kind=kind, how=how):
                return nn.functional.triplet_margin_with_distance_loss(
                    a, p, n, distance_function=distance(nn, kind), **how
                )

            module(f"TripletMarginWithDistanceLoss {kind}", with_layer, options=how)((4, 3), (4, 3), (4, 3))
            name = f"triplet_margin_with_distance_loss {kind} {' '.join(f'{k}={v}' for k, v in how.items())}"
            expression(name, with_function, (4, 3), (4, 3), (4, 3))

# PyTorch's gradient of ctc_loss is that of logits: it holds only behind a log_softmax.
PADDED, JOINED = np.array([[1, 2, 2], [3, 1, 0]]), np.array([1, 2, 2, 3, 1])
TIMES, LENGTHS = np.array([6, 4]), np.array([3, 2])
for name, targets, times, lengths, options in (
    ("padded", PADDED, TIMES, LENGTHS, {}),
    ("joined", JOINED, TIMES, LENGTHS, {}),
    ("other blank", np.array([[0, 3, 0], [1, 1, 0]]), TIMES, LENGTHS, {"blank": 2}),
    ("no labels", PADDED, TIMES, np.array([3, 0]), {}),
    ("too short", PADDED, np.array([3, 4]), LENGTHS, {"zero_infinity": True}),
    ("long enough", PADDED, np.array([4, 2]), LENGTHS, {"zero_infinity": True}),
):
    for reduction in REDUCTIONS:
        how = {**options, "reduction": reduction}

        def ctc_function(nn, x, *others, how=how):
            return nn.functional.ctc_loss(nn.functional.log_softmax(x, dim=-1), *others, **how)

        def ctc_layer(nn, x, *others, how=how):
            return nn.CTCLoss(**how)(nn.functional.log_softmax(x, dim=-1), *others)

        expression(f"ctc_loss {name} {reduction}", ctc_function, (6, 2, 4), targets, times, lengths)
        expression(f"CTCLoss {name} {reduction}", ctc_layer, (6, 2, 4), targets, times, lengths)
for reduction in REDUCTIONS:
    layer("CTCLoss", reduction=reduction)(fixed(logarithms(3, 2, 4)), PADDED, np.array([3, 3]), LENGTHS)  # infinite


def ctc_alone(nn, x, targets):
    return nn.functional.ctc_loss(nn.functional.log_softmax(x, dim=-1), targets, (6,), (3,))


def ctc_tuples(nn, x, targets):
    return nn.functional.ctc_loss(nn.functional.log_softmax(x, dim=-1), targets, (6, 5), (3, 2))


expression("ctc_loss unbatched", ctc_alone, (6, 4), PADDED[0])
expression("ctc_loss lengths as tuples", ctc_tuples, (6, 2, 4), PADDED)

# Sizes, shapes and padding

for dims, modes in (
    (1, ("nearest", "nearest-exact", "area", "linear")),
    (2, ("nearest", "nearest-exact", "area", "bilinear", "bicubic")),
    (3, ("nearest", "nearest-exact", "area", "trilinear")),
):
    size = (4, 5, 3)[-dims:]
    shape = (1, 2 if dims == 1 else 1, *size)
    for mode in modes:
        corners = ({"align_corners": False}, {"align_corners": True}) if "linear" in mode or mode == "bicubic" else ()
        for options in ({}, *corners):
            for how in (
                {"size": 6 if dims < 3 else 4},
                {"size": 2},
                {"size": 1},
                {"size": (7, 3, 5)[:dims]},
                {"scale_factor": 2},
                {"scale_factor": 1.6},
                {"scale_factor": 0.7},
                {"scale_factor": (1.7, 0.6, 1.5)[:dims]},
                {"scale_factor": 1.6, "recompute_scale_factor": True},
                {"scale_factor": 0.7, "recompute_scale_factor": True},
            ):
                if dims < 3 or how.get("size") == 4 or how.get("scale_factor") in (0.7, 1.6):
                    function("interpolate", **how, mode=mode, **options)(shape)
layer("Upsample", size=5)((1, 2, 3))
layer("Upsample", size=(5, 2), mode="bilinear")((1, 2, 3, 4))
layer("Upsample", scale_factor=2)((1, 2, 3, 2))
layer("Upsample", scale_factor=1.6, mode="linear")((1, 2, 4))
layer("Upsample", scale_factor=(2.0, 1.5), mode="bilinear", align_corners=True)((1, 1, 3, 4))
layer("Upsample", scale_factor=2, mode="bicubic", align_corners=False)((1, 1, 3, 2))
layer("Upsample", scale_factor=1.5, mode="trilinear", recompute_scale_factor=True)((1, 1, 2, 3, 2))
layer("Upsample", scale_factor=1.5, mode="nearest-exact")((1, 2, 3))
layer("UpsamplingNearest2d", scale_factor=2)((1, 2, 2, 3))
layer("UpsamplingNearest2d", size=(3, 4))((1, 2, 2, 3))
layer("UpsamplingBilinear2d", scale_factor=2)((1, 2, 2, 3))
layer("UpsamplingBilinear2d", size=(3, 4))((1, 2, 2, 3))

for shape in ((2, 8, 2, 3), (8, 2, 3), (1, 2, 4, 1, 2)):
    both("PixelShuffle", "pixel_shuffle", upscale_factor=2)(shape)
for shape in ((2, 2, 4, 6), (2, 4, 2)):
    both("PixelUnshuffle", "pixel_unshuffle", downscale_factor=2)(shape)
both("PixelShuffle", "pixel_shuffle", upscale_factor=3)((1, 9, 1, 2))
for groups in (1, 2, 3):
    both("ChannelShuffle", "channel_shuffle", groups=groups)((2, 6, 2, 1))
both("ChannelShuffle", "channel_shuffle", groups=2)((2, 4, 3))

for options in (
    {"kernel_size": 2},
    {"kernel_size": (2, 3)},
    {"kernel_size": 2, "stride": 2},
    {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)},
    {"kernel_size": 2, "padding": 1, "dilation": 2},
):
    both("Unfold", "unfold", **options)((2, 2, 4, 5))
    kernel, dilation, padding, stride = (
        np.broadcast_to(options.get(k, v), 2)
        for k, v in (("kernel_size", 0), ("dilation", 1), ("padding", 0), ("stride", 1))
    )
    blocks = (np.array([4, 5]) + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    shape = (2, 2 * int(kernel.prod()), int(blocks.prod()))
    both("Fold", "fold", output_size=(4, 5), **options)(shape)
    layer("Fold", output_size=(4, 5), **options)(shape[1:])
    layer("Unfold", **options)((2, 4, 5))
both("Fold", "fold", output_size=4, kernel_size=2)((1, 4, 9))

for d, size in ((1, (4,)), (2, (3, 4)), (3, (2, 3, 3))):
    sides = (1, 2, 2, 0, 1, 1)[: 2 * d]
    for shape in ((2, 2, *size), (2, *size)):
        for padding in (1, sides):
            layer(f"ConstantPad{d}d", padding, 1.5)(shape)
            layer(f"ZeroPad{d}d", padding)(shape)
            for kind in ("Reflection", "Replication", "Circular"):
                layer(f"{kind}Pad{d}d", padding)(shape)
    layer(f"ConstantPad{d}d", (-1, 2, 1, -1, 0, 0)[: 2 * d], 1.5)((1, 2, *size))
    layer(f"ZeroPad{d}d", (-1, 0, 1, -2, 0, 0)[: 2 * d])((1, 2, *size))
    for mode in ("reflect", "replicate", "circular"):
        function("pad", pad=sides, mode=mode)((1, 2, *size))
        function("pad", pad=(-1, 1, 1, -2, -1, 0)[: 2 * d], mode=mode)((1, 2, *size))
    for kind in ("Reflection", "Replication"):
        layer(f"{kind}Pad{d}d", (-2, 2, 2, -1, -1, 1)[: 2 * d])((1, 2, *size))
for pad in ((1, 2), (0, 0, 1, 0), (-1, 2), (-1, -1, 0, 2), (1, 1, -1, 0, 2, 0)):
    function("pad", pad=pad)((2, 3, 4))
    function("pad", pad=pad, mode="constant", value=2.5)((2, 3, 4))
function("pad", pad=(1, 2))((3,))

# Distances

for shape, dim in (((4, 3), 1), ((2, 3, 4), 1), ((2, 3, 4), -1), ((3,), 0)):
    both("CosineSimilarity", "cosine_similarity", dim=dim)(shape, shape)
both("CosineSimilarity", "cosine_similarity")((4, 3), (4, 3))
# Not an eps above the lengths: PyTorch differentiates as if it were not there, and minigrad the value that it gives.
both("CosineSimilarity", "cosine_similarity", dim=1)((4, 3), (1, 3))
# One that is repeated along the axis itself has the length of what it is repeated to.
for shapes in (((4, 1), (4, 3)), ((4, 3), (4, 1)), ((4, 1), (1, 3)), ((3,), (4, 3)), ((2, 4, 1), (4, 3)), ((), (4, 3))):
    both("CosineSimilarity", "cosine_similarity", dim=1)(*shapes)
both("CosineSimilarity", "cosine_similarity", dim=0)((4, 3), (1, 3))
both("PairwiseDistance", "pairwise_distance")((4, 1), (4, 3))
both("PairwiseDistance", "pairwise_distance", keepdim=True)((4, 3), (3,))
for options in ({}, {"p": 1.0}, {"p": 3.0}, {"p": np.inf}, {"eps": 0.1}, {"keepdim": True}):
    both("PairwiseDistance", "pairwise_distance", **options)((4, 3), (4, 3))
both("PairwiseDistance", "pairwise_distance")((3,), (3,))
both("PairwiseDistance", "pairwise_distance", p=1.0)((2, 4, 3), (2, 4, 3))
both("PairwiseDistance", "pairwise_distance")(np.ones((2, 3)), np.ones((2, 3)))
for options in ({}, {"p": 1.0}, {"p": 3.0}, {"p": np.inf}, {"dim": 0}, {"dim": -1, "p": 1.5}, {"dim": (0, 1)}):
    function("normalize", **options)((4, 3))
function("normalize", eps=3.0)((4, 3))
function("normalize", dim=2)((2, 3, 2))
function("normalize")(np.array([[0.0, 0.0], [3.0, 4.0]]))
for p in (1.0, 1.5, 2.0, 3.0, np.inf):
    function("pdist", p=p)((4, 3))
function("pdist")((4, 3))
function("one_hot")(labels(5))
function("one_hot", num_classes=6)(labels(2, 3))
function("one_hot", num_classes=3)(np.array(1))

# Utilities

for dim in (0, 1, None, -1, -2):

    def weight_norm(nn, dim=dim):
        return nn.utils.weight_norm(nn.Linear(3, 2), dim=dim)

    def weight_norm_of_conv(nn, dim=dim):
        return nn.utils.weight_norm(nn.Conv2d(2, 3, 2), dim=dim)

    module("weight_norm Linear", weight_norm, options={"dim": dim})((4, 3))
    module("weight_norm Conv2d", weight_norm_of_conv, options={"dim": dim})((2, 2, 3, 3))
module("weight_norm default", lambda nn: nn.utils.weight_norm(nn.Linear(3, 2)))((4, 3))
module("weight_norm of a bias", lambda nn: nn.utils.weight_norm(nn.Linear(3, 2), name="bias", dim=0))((4, 3))
module("remove_weight_norm", lambda nn: nn.utils.remove_weight_norm(nn.utils.weight_norm(nn.Linear(3, 2))))((4, 3))

VECTORS = ("weight_u", "weight_v")
for options in ({}, {"n_power_iterations": 3}, {"dim": 1}, {"eps": 0.1}):

    def spectral_norm(nn, options=options):
        return nn.utils.spectral_norm(nn.Linear(3, 2), **options)

    def spectral_norm_of_conv(nn, options=options):
        return nn.utils.spectral_norm(nn.Conv2d(2, 3, 2), **options)

    for name, make, shape in (("Linear", spectral_norm, (4, 3)), ("Conv2d", spectral_norm_of_conv, (2, 2, 3, 3))):
        normed = module(f"spectral_norm {name}", make, options=options)
        normed(shape, buffers=VECTORS)
        normed(shape, buffers=VECTORS, evaluate=True)
        normed(shape, buffers=VECTORS, warmup=2, evaluate=True)
module("spectral_norm ConvTranspose2d", lambda nn: nn.utils.spectral_norm(nn.ConvTranspose2d(2, 3, 2)))(
    (1, 2, 2, 2), buffers=VECTORS
)

for norm in (1.0, 2.0, 3.0, np.inf):
    utility(f"clip_grad_norm_ {norm}", lambda nn, p, norm=norm: nn.utils.clip_grad_norm_(p, 0.7, norm_type=norm))
utility("clip_grad_norm_ of one", lambda nn, p: nn.utils.clip_grad_norm_(p[0], 0.7))
utility("clip_grad_norm_ that is small enough", lambda nn, p: nn.utils.clip_grad_norm_(p, 70.0))
utility("clip_grad_value_", lambda nn, p: nn.utils.clip_grad_value_(p, 0.3))
utility("parameters_to_vector", lambda nn, p: nn.utils.parameters_to_vector(p))
utility(
    "vector_to_parameters",
    lambda nn, p: nn.utils.vector_to_parameters(2 * nn.utils.parameters_to_vector(p).detach(), p),
)

for kind in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
    number(f"calculate_gain {kind}", lambda nn, kind=kind: nn.init.calculate_gain(kind))
for d in (1, 2, 3):
    number(f"calculate_gain conv{d}d", lambda nn, d=d: nn.init.calculate_gain(f"conv{d}d"))
    number(f"calculate_gain conv_transpose{d}d", lambda nn, d=d: nn.init.calculate_gain(f"conv_transpose{d}d"))
for slope in (0.2, 1.0, -0.5):
    number(f"calculate_gain leaky_relu {slope}", lambda nn, s=slope: nn.init.calculate_gain("leaky_relu", s))

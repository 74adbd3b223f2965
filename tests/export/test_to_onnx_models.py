"""Models as ONNX files: the networks of the examples, and layers, at sizes that the files were not made with."""

import ast
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F  # noqa: N812

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from minigrad.export import onnx as export  # noqa: E402
from tests.export.onnx_checks import assert_close, on_reference, on_runtime, wanted_of  # noqa: E402

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
KEPT = {"minigrad", "numpy", "math"}


def script(name):
    """What a script of the examples defines, without what it needs for data and pictures."""
    tree = ast.parse((EXAMPLES / name).read_text())
    body = []
    for part in tree.body:
        if isinstance(part, ast.Import):
            part.names = [x for x in part.names if x.name.split(".")[0] in KEPT]
        outside = isinstance(part, ast.ImportFrom) and part.module.split(".")[0] not in KEPT
        if outside or isinstance(part, ast.If) or (isinstance(part, ast.Import) and not part.names):
            continue
        body.append(part)
    found = {"__name__": name.removesuffix(".py")}
    exec(compile(ast.Module(body, []), name, "exec"), found)
    return found


def classifier():
    return script("quickstart.py")["classifier"](32), (64,)


def cnn():
    model = script("mnist_cnn.py")["network"]()
    rng = np.random.default_rng(0)
    for name, buffer in model.named_buffers():  # as after training
        if "running" in name:
            buffer.array[...] = rng.uniform(0.5, 1.5, buffer.shape)
    return model, (1, 28, 28)


def autoencoder():
    return script("vae.py")["Autoencoder"](), (784,)


def char_lstm():
    return script("char_lstm.py")["CharLSTM"](30), (12,)


def gpt():
    return script("gpt.py")["GPT"](30), (9,)


def forecaster():
    return script("time_series_lstm.py")["Forecaster"](8), ()


def reconstructed(model):
    """What the autoencoder makes of images, by the means of their codes."""

    def f(images):
        mean, log_variance = mg.split(model.encoder(images), 2, axis=-1)
        return model.decoder(mean), mean, log_variance

    return f


NETWORKS = {  # how to make it, the kind of input, and the axis of the size that is not known
    "classifier": (classifier, "floats", 0, lambda model: model),
    "cnn": (cnn, "floats", 0, lambda model: model),
    "autoencoder": (autoencoder, "floats", 0, reconstructed),
    "char_lstm": (char_lstm, "codes", 1, lambda model: model),
    "gpt": (gpt, "codes", 0, lambda model: model),
    "forecaster": (forecaster, "floats", 0, lambda model: model),
}


def prepared(name, dtype):
    """A network of the examples as a function, and a function that makes inputs for a size."""
    make, kind, axis, as_function = NETWORKS[name]
    with mg.random.using(0):
        model, shape = make()
    model = model.eval().astype(dtype)
    rng = np.random.default_rng(1)

    def example(size):
        full = (*shape[:axis], size, *shape[axis:])
        return rng.integers(0, 30, full) if kind == "codes" else rng.normal(size=full).astype(dtype)

    return model, as_function(model), example, axis


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_in_single_precision(name, tmp_path):
    model, f, example, axis = prepared(name, np.float32)
    path = tmp_path / "model.onnx"
    export(f, (example(2),), path, dynamic_shapes=({axis: "size"},))
    keys = {x.name for x in onnx.load(path).graph.initializer}
    assert {key for key, _ in model.named_parameters()} <= keys
    for size in (1, 3, 17):
        x = example(size)
        assert_close(on_runtime(path, x), wanted_of(f, x), 5e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_in_double_precision(name, tmp_path):
    _, f, example, axis = prepared(name, np.float64)
    path = tmp_path / "model.onnx"
    export(f, (example(2),), path, dynamic_shapes=({axis: "size"},), verify=False)
    for size in (1, 3, 17):
        x = example(size)
        assert_close(on_reference(path, x), wanted_of(f, x), 1e-12)


def test_two_sizes_of_a_network(tmp_path):
    """The mask of causal attention, and the rows of places, depend on the length."""
    _, f, example, _ = prepared("gpt", np.float32)
    path = tmp_path / "model.onnx"
    export(f, (example(2),), path, dynamic_shapes={"codes": {0: "batch", 1: "length"}})
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (3, 17), (17, 2)):
        x = rng.integers(0, 30, shape)
        assert_close(on_runtime(path, x), wanted_of(f, x), 5e-6)
    (output,) = onnx.load(path).graph.output
    assert [d.dim_param or d.dim_value for d in output.type.tensor_type.shape.dim] == ["batch", "length", 30]


# Layers


def pooled(x):
    return x


LAYERS = {  # with the shape of a sample
    "Linear": (lambda: nn.Linear(6, 4), (6,)),
    "Bilinear": (lambda: nn.Bilinear(6, 6, 3), (6,)),
    "Conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1), (4, 9)),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3, padding=(1, 2), groups=2, dilation=2), (4, 9, 8)),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2), (2, 4, 5, 3)),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(4, 6, 3), (4, 7)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1), (4, 5, 4)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(6), (6,)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), (4, 5, 3)),
    "LayerNorm": (lambda: nn.LayerNorm((5, 6)), (5, 6)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (4, 5)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4, affine=True), (4, 5, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(6), (6,)),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), (4, 5)),
    "MaxPool1d": (lambda: nn.MaxPool1d(3, 2, padding=1), (4, 9)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (4, 6, 5)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, padding=1), (4, 6, 5)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), (4, 6, 5)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d((2, 3)), (4, 6, 5)),
    "LPPool2d": (lambda: nn.LPPool2d(2, 2), (4, 6, 4)),
    "Flatten": (lambda: nn.Flatten(), (4, 6)),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 3)), (6,)),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), (4, 3, 2)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), (2, 4, 6)),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), (4, 3, 2)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 4)),
    "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 4)),
    "ReflectionPad1d": (lambda: nn.ReflectionPad1d(2), (2, 5)),
    "ReplicationPad2d": (lambda: nn.ReplicationPad2d(2), (2, 5, 3)),
    "CircularPad1d": (lambda: nn.CircularPad1d(2), (2, 5)),
    "ZeroPad2d": (lambda: nn.ZeroPad2d((1, 2, 0, 1)), (2, 5, 3)),
    "Unfold": (lambda: nn.Unfold(2), (2, 5, 3)),
    "Fold": (lambda: nn.Fold((4, 5), 2), (8, 12)),
    "GLU": (lambda: nn.GLU(), (6,)),
    "PReLU": (lambda: nn.PReLU(), (6,)),
    "Softmax": (lambda: nn.Softmax(1), (6,)),
    "LogSoftmax": (lambda: nn.LogSoftmax(1), (6,)),
    "Dropout": (lambda: nn.Dropout(0.5), (6,)),
    "MultiheadAttention": (lambda: WithItself(nn.MultiheadAttention(8, 2, batch_first=True)), (5, 8)),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (5, 8)),
    "TransformerDecoderLayer": (
        lambda: WithItself(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 2), (5, 8),
    ),
    "RNN": (lambda: nn.RNN(6, 5, 2, batch_first=True), (7, 6)),
    "GRU": (lambda: nn.GRU(6, 5, batch_first=True, bidirectional=True), (7, 6)),
    "LSTM": (lambda: nn.LSTM(6, 5, 2, batch_first=True), (7, 6)),
    "LSTMCell": (lambda: nn.LSTMCell(6, 5), (6,)),
    "GRUCell": (lambda: nn.GRUCell(6, 5), (6,)),
    **{
        name: (getattr(nn, name), (6,))
        for name in ["ReLU", "ReLU6", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softplus", "Softsign",
                     "Softshrink", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Tanhshrink", "LogSigmoid",
                     "LeakyReLU", "Sigmoid", "Tanh"]
    },
}  # fmt: skip


class WithItself(nn.Module):
    """A layer of several inputs that are all one."""

    def __init__(self, layer, count=3):
        super().__init__()
        self.layer, self.count = layer, count

    def forward(self, x):
        return self.layer(*[x] * self.count)


# Of these the reference evaluator computes others, or has not all that ONNX allows.
NOT_ON_THE_REFERENCE = {}


def layer_of(name, dtype):
    make, shape = LAYERS[name]
    with mg.random.using(0):
        layer = make().eval().astype(dtype)
    rng = np.random.default_rng(2)
    for _, buffer in layer.named_buffers():
        if buffer.array.dtype.kind == "f":
            buffer.array[...] = rng.uniform(0.5, 1.5, buffer.shape)
    f = (lambda x: layer(x, x)) if name == "Bilinear" else layer
    return f, lambda size: rng.normal(size=(size, *shape)).astype(dtype)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_in_single_precision(name, tmp_path):
    f, example = layer_of(name, np.float32)
    path = tmp_path / "layer.onnx"
    export(f, (example(3),), path, dynamic_shapes=({0: "batch"},))
    for size in (1, 3, 17):
        x = example(size)
        assert_close(on_runtime(path, x), wanted_of(f, x), 5e-6)


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in NOT_ON_THE_REFERENCE])
def test_a_layer_in_double_precision(name, tmp_path):
    f, example = layer_of(name, np.float64)
    path = tmp_path / "layer.onnx"
    export(f, (example(3),), path, dynamic_shapes=({0: "batch"},), verify=False)
    for size in (1, 3, 17):
        x = example(size)
        assert_close(on_reference(path, x), wanted_of(f, x), 1e-12)


def test_an_embedding(tmp_path):
    with mg.random.using(0):
        layer = nn.Embedding(9, 4, dtype=np.float32)
    path = tmp_path / "layer.onnx"
    export(layer, np.array([[1, 2], [8, 0]]), path, dynamic_shapes={"input": {0: "batch", 1: "length"}})
    for shape in ((1, 1), (3, 17)):
        x = np.random.default_rng(0).integers(0, 9, shape)
        assert_close(on_runtime(path, x), wanted_of(layer, x), 0)


LOSSES = {
    "cross_entropy": lambda x, y: F.cross_entropy(x, y),
    "cross_entropy (rows)": lambda x, y: F.cross_entropy(x, y, reduction="none", label_smoothing=0.1),
    "nll_loss": lambda x, y: F.nll_loss(F.log_softmax(x, 1), y),
    "mse_loss": lambda x, y: F.mse_loss(x, x[::-1]),
    "huber_loss": lambda x, y: F.huber_loss(x, x * 2),
    "multi_margin_loss": lambda x, y: F.multi_margin_loss(x, y),
    "gradients": lambda x, y: mg.grad(lambda x: F.cross_entropy(x, y))(x),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss(name, tmp_path):
    f, rng = LOSSES[name], np.random.default_rng(0)
    path = tmp_path / "loss.onnx"

    def examples(size):
        return rng.normal(size=(size, 5)).astype(np.float32), rng.integers(0, 5, size)

    export(f, examples(4), path, dynamic_shapes=({0: "batch"}, {0: "batch"}))
    for size in (1, 3, 17):
        pair = examples(size)
        session_inputs = pair[: len(onnx.load(path).graph.input)]
        assert_close(on_runtime(path, *session_inputs), wanted_of(f, *pair), 5e-6)

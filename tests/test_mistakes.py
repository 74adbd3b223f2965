"""The commonest mistakes, and whether what is said of each names its cause, its place and its remedy.

The table begins with what users of other frameworks stumble on.  Each row is a short program, the exception or warning
that it ends with, and words that must be in the message: of the cause (what happened), of the place (the operation,
argument or layer, and the line where the traceback does not end there anyway), and of the remedy (what to write
instead).  The page `docs/guide/errors.md` shows all of them.
"""

import linecache
import math
import multiprocessing
import re
import sys
import traceback
import warnings
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import data, errors, nn, optim
from minigrad.core import numpy_functions, primitives
from minigrad.nn import functional as F  # noqa: N812
from tests.rows import each

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "errors.md"
NAMES = {"mg": mg, "np": np, "nn": nn, "F": F, "optim": optim, "data": data, "math": math}
FILE = "train.py"  # the name under which the programs run


class Mistake(NamedTuple):
    group: str
    title: str
    kind: type
    program: str
    cause: tuple[str, ...]
    place: tuple[str, ...]
    remedy: tuple[str, ...]
    without: str  # a package that shall seem not to be installed


MISTAKES: list[Mistake] = []
_groups = ["Backward"]


def mistake(title, kind, program, *, cause, place, remedy, without=""):
    cause, place, remedy = ((words,) if isinstance(words, str) else tuple(words) for words in (cause, place, remedy))
    MISTAKES.append(Mistake(_groups[-1], title, kind, dedent(program).strip() + "\n", cause, place, remedy, without))


# Backward

mistake(
    "Backward twice", errors.ReleasedGraphError,
    """
    w = mg.tensor(3.0, requires_grad=True)
    loss = w * w
    loss.backward()
    loss.backward()
    """,
    cause=("part of this graph is gone", "released it, to save memory"), place="at train.py:3 `loss.backward()`",
    remedy=("Compute the loss anew for every backward", "detach() that value", "retain_graph=True"),
)  # fmt: skip
mistake(
    "A value of the last step in the loss", errors.ReleasedGraphError,
    """
    w, state = mg.tensor(3.0, requires_grad=True), mg.tensor(1.0)
    for step in range(2):
        state = w * state
        state.backward()
    """,
    cause="released it", place="at train.py:4 `state.backward()`", remedy=("a hidden state", "detach() that value"),
)  # fmt: skip
mistake(
    "Backward of many numbers", errors.GraphError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    errors = w * w
    errors.backward()
    """,
    cause=("needs a single number", "has shape (2,)"), place=("backward", "the result of multiply"),
    remedy=("y.sum().backward()", "y.backward(gradient="),
)  # fmt: skip
mistake(
    "Nothing requires grad", errors.GraphError,
    """
    w = mg.tensor([1.0, 2.0])
    (w * w).sum().backward()
    """,
    cause="nothing that it was computed from requires grad", place=("backward()", "(float64 5.0)"),
    remedy="Make the leaves with tensor(..., requires_grad=True)",
)  # fmt: skip
mistake(
    "A loss computed under no_grad", errors.GraphError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.no_grad():
        loss = (w * w).sum()
    loss.backward()
    """,
    cause="it was made under no_grad()", place=("backward()", "(float64 5.0)"), remedy="outside of no_grad()",
)  # fmt: skip
mistake(
    "A loss made from a plain number", errors.GraphError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    loss = mg.tensor((w * w).sum().item())
    loss.backward()
    """,
    cause=("by detach() or from a plain number",), place=("backward()", "(float64 5.0)"),
    remedy="compute what follows by operations on Tensors",
)  # fmt: skip
mistake(
    "The grad of a result", UserWarning,
    """
    w = mg.tensor(3.0, requires_grad=True)
    y = w * w
    y.backward()
    slope = y.grad
    """,
    cause=("grad is None", "only leaves keep their gradients"), place="the result of multiply, of shape ()",
    remedy=("retain_grad() before backward()", "autograd.grad(output, tensor)"),
)  # fmt: skip
mistake(
    "An update between forward and backward", errors.StaleValueError,
    """
    w = mg.tensor(3.0, requires_grad=True, name="w")
    loss = w * w
    with mg.no_grad():
        w -= 0.1
    loss.backward()
    """,
    cause=("the leaf 'w' of shape () was written to", "after multiply number", "needs the old value"),
    place=("at train.py:4 `w -= 0.1`", "detect_anomaly() to see the line that called multiply"),
    remedy=("Call backward() before the update", "compute the loss again after it"),
)  # fmt: skip
mistake(
    "The same, with the line of the operation", errors.StaleValueError,
    """
    w = mg.tensor(3.0, requires_grad=True, name="w")
    with mg.detect_anomaly():
        loss = w * w
        with mg.no_grad():
            w -= 0.1
        loss.backward()
    """,
    cause=("the leaf 'w' of shape () was written to", "needs the old value"),
    place=("at train.py:5 `w -= 0.1`", "had used its value (at train.py:3 `loss = w * w`)"),
    remedy="Call backward() before the update",
)  # fmt: skip
mistake(
    "An update in place outside of no_grad", errors.GraphError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    w -= 0.1
    """,
    cause=("requires grad and cannot be changed in place", "shape (2,)"), place="the leaf 'w'",
    remedy=("with minigrad.no_grad(): w -= ...", "y = w + 1"),
)  # fmt: skip
mistake(
    "A gradient of another shape", errors.ShapeError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).backward([1.0])
    """,
    cause=("has shape (1,)", "has shape (2,)"), place=("the gradient given to backward", "the result of multiply"),
    remedy=("they must be equal", "how much each element counts"),
)  # fmt: skip
mistake(
    "An input that was not used", errors.GraphError,
    """
    a = mg.tensor([1.0, 2.0], requires_grad=True, name="a")
    b = mg.tensor([1.0, 2.0], requires_grad=True, name="b")
    mg.autograd.grad(a.sum(), [a, b])
    """,
    cause="the outputs of grad() do not depend on input 1", place="the leaf 'b' of shape (2,)",
    remedy=("allow_unused=True", "look for a detach()"),
)  # fmt: skip
mistake(
    "A hook that returns another shape", errors.ShapeError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    w.register_hook(lambda g: g.sum())
    (w * w).sum().backward()
    """,
    cause="returned a gradient of shape () for a Tensor of shape (2,)",
    place="the hook <lambda> (at train.py:2 `w.register_hook(lambda g: g.sum())`)",
    remedy=("must return None", "another gradient of the same shape"),
)  # fmt: skip
mistake(
    "NaN in the forward pass", errors.AnomalyError,
    """
    x = mg.tensor([1.0, -1.0], requires_grad=True)
    with mg.detect_anomaly():
        loss = np.log(x).sum()
    """,
    cause=("log made NaN, in 1 of 2 elements", "operand 0: float64 (2,), from -1 to 1"),
    place="at train.py:3 `loss = np.log(x).sum()`", remedy=("Keep its operand above 0", "log1p"),
)  # fmt: skip
mistake(
    "inf in the backward pass", errors.AnomalyError,
    """
    x = mg.tensor([1.0, 0.0], requires_grad=True)
    with mg.detect_anomaly():
        loss = np.sqrt(x).sum()
        loss.backward()
    """,
    cause=("the derivative of sqrt made inf, in 1 of 2 elements", "operand 0: float64 (2,), from 0 to 1"),
    place="at train.py:3 `loss = np.sqrt(x).sum()`", remedy=("sqrt(x + eps)", "where(x > 0, sqrt(x), 0)"),
)  # fmt: skip
mistake(
    "A write to data before backward()", errors.StaleValueError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    loss = (w**3).sum()
    w.data[0] = 5.0
    loss.backward()
    """,
    cause=("the leaf 'w' of shape (2,) was written to", "needs the old value"),
    place="at train.py:3 `w.data[0] = 5.0`", remedy=("Call backward() before the update", "compute the loss again"),
)  # fmt: skip

# Tensors as numbers and arrays

_groups.append("Tensors as numbers and arrays")

mistake(
    "float() of a Tensor", errors.CutError,
    """
    x = mg.tensor(3.0, requires_grad=True, name="x")
    total = float(x * x)
    """,
    cause="would cut the graph, and gradients would be missing", place=("float()", "the result of multiply"),
    remedy=("write t.item()", "use minigrad's or NumPy's functions on the Tensor"),
)  # fmt: skip
mistake(
    "A function of math", errors.CutError,
    """
    x = mg.tensor(3.0, requires_grad=True, name="x")
    y = math.sin(x)
    """,
    cause="would cut the graph", place="float() of the leaf 'x'", remedy="np.sin for math.sin",
)  # fmt: skip
mistake(
    "An array made of a Tensor", errors.CutError,
    """
    x = mg.tensor([3.0, 4.0], requires_grad=True, name="x")
    a = np.asarray(x)
    """,
    cause="would cut the graph", place="conversion to an ndarray of the leaf 'x'", remedy="t.detach().numpy()",
)  # fmt: skip
mistake(
    "The mean of a list of Tensors", errors.CutError,
    """
    a, b = (mg.tensor(x, requires_grad=True) for x in (1.0, 2.0))
    mean = np.mean([a, b])
    """,
    cause="would cut the graph", place=("conversion to an ndarray", "a leaf"),
    remedy="np.mean(minigrad.stack([t, u])) for np.mean([t, u])",
)  # fmt: skip
mistake(
    "A Tensor written into an array", errors.CutError,
    """
    x = mg.tensor([3.0, 4.0], requires_grad=True, name="x")
    buffer = np.zeros((5, 2))
    buffer[0] = x
    """,
    cause="would cut the graph", place="conversion to an ndarray of the leaf 'x'",
    remedy=("t.detach().numpy()", "np.mean(minigrad.stack([t, u]))"),
)  # fmt: skip
mistake(
    "if of several elements", errors.ShapeError,
    """
    x = mg.tensor([3.0, 1.0], requires_grad=True)
    if x > 2:
        x = x / 2
    """,
    cause=("shape (2,)", "is not one answer"), place="the truth of a Tensor",
    remedy=("(x > 0).all() or (x > 0).any()", "where(x > 0, a, b)"),
)  # fmt: skip
mistake(
    "item() of several elements", errors.ShapeError,
    """
    losses = mg.tensor([3.0, 1.0])
    losses.item()
    """,
    cause=("needs a single number", "shape (2,)"), place="item()", remedy=("tolist()", "reduce it"),
)  # fmt: skip
mistake(
    "Integers that require grad", errors.DTypeError,
    """
    w = mg.tensor([3, 1], requires_grad=True)
    """,
    cause=("only floating-point and complex Tensors", "int64"), place="require grad",
    remedy=("a decimal point", "dtype=float"),
)  # fmt: skip
mistake(
    "Division in place of integers", errors.DTypeError,
    """
    pixels = mg.tensor([128, 255])
    pixels /= 255
    """,
    cause="cannot change the dtype of a Tensor from int64 to float64", place="in-place syntax", remedy="x = x / y",
)  # fmt: skip
mistake(
    "Rows of different lengths", errors.ShapeError,
    """
    x = mg.tensor([[1.0, 2.0], [3.0]])
    """,
    cause="rows differ in length", place="a Tensor cannot be made of a list", remedy="pad the rows to one length",
)  # fmt: skip
mistake(
    "Texts for numbers", errors.DTypeError,
    """
    x = mg.tensor(["1.5", "2.0"])
    """,
    cause="a list of dtype <U3 holds none", place="a Tensor is made of numbers", remedy="np.array(data, dtype=float)",
)  # fmt: skip
mistake(
    "A masked array", errors.DTypeError,
    """
    readings = np.ma.array([1.5, 2.0, -999.0], mask=[False, False, True])
    x = mg.tensor(readings)
    """,
    cause=("a MaskedArray", "whose mask would be lost"), place="a Tensor cannot be made of",
    remedy=("write a.filled(value)", "keep the mask as an array of its own"),
)  # fmt: skip
mistake(
    "A function that is not supported", errors.UnsupportedError,
    """
    import scipy.special

    x = mg.tensor([0.3, 0.4], requires_grad=True)
    scipy.special.gammaincinv(2.0, x)
    """,
    cause="has no derivative in minigrad", place="scipy.special.gammaincinv",
    remedy=("the nearest that has one is 'gammainc'", "@minigrad.primitive", "t.detach().numpy()"),
)  # fmt: skip
mistake(
    "A NumPy function that writes", errors.UnsupportedError,
    """
    x = mg.tensor(np.ones((2, 2)), requires_grad=True)
    np.fill_diagonal(x, 0.0)
    """,
    cause="writes into an array, and a Tensor is a value", place="numpy.fill_diagonal", remedy="write x[i, i] = values",
)  # fmt: skip
mistake(
    "np.add.at", errors.UnsupportedError,
    """
    x = mg.zeros(3)
    np.add.at(x, [0, 0], 1.0)
    """,
    cause="writes into an array, and a Tensor is a value", place="numpy.add.at",
    remedy=("x[i] += v", "where an index repeats x += bincount(i, v, len(x))"),
)  # fmt: skip
mistake(
    "out=", errors.UnsupportedError,
    """
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    np.exp(x, out=np.zeros(2))
    """,
    cause="does not take these arguments: out", place="numpy.exp of a Tensor",
    remedy="write y = f(x) instead of f(x, out=y)",
)  # fmt: skip
mistake(
    "array += Tensor", errors.UnsupportedError,
    """
    total, x = np.zeros(2), mg.tensor([3.0, 4.0], requires_grad=True)
    total += x
    """,
    cause="does not take these arguments: out", place="numpy.add of a Tensor",
    remedy=("new Tensors: write y = f(x) instead", "or of array += x"),
)  # fmt: skip

# Names of other libraries

_groups.append("Names of other libraries")

mistake(
    "A method of PyTorch", AttributeError,
    """
    x = mg.ones((2, 3))
    x.view(3, 2)
    """,
    cause="has no 'view' here", place="a Tensor", remedy="write x.reshape(shape)",
)  # fmt: skip
mistake(
    "A method that is a function", AttributeError,
    """
    x = mg.ones((2, 3))
    x.sort()
    """,
    cause="has no 'sort' here", place="a Tensor", remedy="it is a function, minigrad.sort",
)  # fmt: skip
mistake(
    "A device", AttributeError,
    """
    model = nn.Linear(2, 1).to("cuda")
    """,
    cause="has no attribute 'to' here", place="Linear", remedy=("there is one device, the CPU", "model.astype(dtype)"),
)  # fmt: skip
mistake(
    "dim for axis", TypeError,
    """
    x = mg.ones((2, 3))
    x.sum(dim=1)
    """,
    cause="an unexpected keyword argument 'dim'", place="sum()", remedy="write axis=, as in NumPy",
)  # fmt: skip
mistake(
    "A layer made of its input", errors.DTypeError,
    """
    x = mg.ones((2, 3))
    y = nn.ReLU(x)
    """,
    cause=("is made with options", "was given arrays of shapes (2, 3)"), place="ReLU",
    remedy=("nn.ReLU()(input)", "F.relu(input)"),
)  # fmt: skip
mistake(
    "A loss made of its operands", errors.DTypeError,
    """
    logits, labels = mg.ones((2, 3)), np.array([0, 2])
    loss = nn.CrossEntropyLoss(logits, labels)
    """,
    cause=("is made with options", "was given arrays of shapes (2, 3) and (2,)"), place="CrossEntropyLoss",
    remedy=("nn.CrossEntropyLoss()(input, target)", "F.cross_entropy(input, target)"),
)  # fmt: skip
mistake(
    "requires_grad by its place", errors.DTypeError,
    """
    w = mg.tensor([1.0, 2.0], True)
    """,
    cause="cannot have the dtype True", place="a Tensor", remedy="is requires_grad=True meant",
)  # fmt: skip
mistake(
    "save the other way round", errors.DTypeError,
    """
    mg.save(nn.Linear(2, 1).state_dict(), "weights.npz")
    """,
    cause="the arguments are in the wrong order", place="save", remedy="write minigrad.save(path, tree)",
)  # fmt: skip

# Shapes and indices

_groups.append("Shapes and indices")

mistake(
    "Shapes that do not broadcast", errors.ShapeError,
    """
    X, scale = mg.ones((5, 3)), mg.ones(5)
    X * scale
    """,
    cause=("shapes (5, 3) and (5,)", "could not be broadcast"), place="multiply of",
    remedy="with shape (5, 1), from reshape, the second would fit",
)  # fmt: skip
mistake(
    "A matrix product the wrong way round", errors.ShapeError,
    """
    X, W = mg.ones((5, 3)), mg.ones((2, 3))
    X @ W
    """,
    cause=("shapes (5, 3) and (2, 3)", "the last axis of the first (3)"), place="matmul",
    remedy="a @ b.mT, the second would fit",
)  # fmt: skip
mistake(
    "An axis too far", errors.AxisError,
    """
    x = mg.ones((5, 3))
    x.sum(axis=2)
    """,
    cause=("shape (5, 3)", "axis 2 is out of bounds"), place="sum of",
    remedy="its axes are 0 to 1, or -1 to -2 from the end",
)  # fmt: skip
mistake(
    "An index out of range", errors.IndexingError,
    """
    x = mg.ones((5, 3))
    x[5]
    """,
    cause=("shape (5, 3)", "index 5 is out of bounds for axis 0 with size 5"), place="getitem of",
    remedy="has the indices 0 to n - 1, or -n to -1 from the end",
)  # fmt: skip
mistake(
    "An index that is no integer", errors.IndexingError,
    """
    x = mg.ones((5, 3))
    x[len(x) / 5]
    """,
    cause="not 1.0", place="an index must be a number, a slice", remedy=("int(i)", "indices.astype(int)"),
)  # fmt: skip
mistake(
    "A shape with another number of elements", errors.ShapeError,
    """
    x = mg.ones((5, 3))
    x.reshape(4, 4)
    """,
    cause=("shape (5, 3)", "cannot reshape array of size 15 into shape (4,4)"), place="reshape of",
    remedy=("must multiply to the number of elements", "-1 stands for the one that remains"),
)  # fmt: skip
mistake(
    "Arrays of different shapes in one", errors.ShapeError,
    """
    mg.stack([mg.ones((5, 3)), mg.ones((5, 2))])
    """,
    cause=("shapes (5, 3) and (5, 2)", "must have the same shape"), place="stack of",
    remedy=("Slice or pad", "concat along the axis that differs"),
)  # fmt: skip
mistake(
    "Letters of einsum", errors.ShapeError,
    """
    mg.einsum("ij,jk->ik", mg.ones((2, 3)), mg.ones((2, 3)))
    """,
    cause=("shapes (2, 3) and (2, 3)", "label 'j' for operand 1 (3)"), place=("einsum of", "subscripts='ij,jk->ik'"),
    remedy=("one length in all operands", "another letter"),
)  # fmt: skip

# Losses

_groups.append("Losses")

mistake(
    "A column against a row", errors.ShapeError,
    """
    prediction, target = mg.ones((4, 1)), mg.ones(4)
    F.mse_loss(prediction, target)
    """,
    cause="a prediction of shape (4, 1) and a target of shape (4,)", place="mse_loss",
    remedy=("target.reshape((4, 1))", "broadcast_to"),
)  # fmt: skip
mistake(
    "A softmax before the cross-entropy", UserWarning,
    """
    model, labels = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1)), np.array([0, 1, 2, 0])
    loss = nn.CrossEntropyLoss()(model(mg.ones((4, 2))), labels)
    """,
    cause="this input is the result of one already", place="cross_entropy applies the softmax itself",
    remedy="give it the logits",
)  # fmt: skip
mistake(
    "A softmax before nll_loss", UserWarning,
    """
    scores = mg.tensor(np.ones((4, 3)), requires_grad=True)
    loss = F.nll_loss(F.softmax(scores, dim=1), np.array([0, 1, 2, 0]))
    """,
    cause="this input is the result of a softmax", place="nll_loss takes logarithms of probabilities",
    remedy=("write log_softmax instead", "give the logits to cross_entropy"),
)  # fmt: skip
mistake(
    "Logits for BCELoss", errors.ArgumentError,
    """
    logits, target = mg.tensor([1.5, -2.0]), mg.tensor([1.0, 0.0])
    nn.BCELoss()(logits, target)
    """,
    cause=("probabilities must be from 0 to 1", "from -2 to 1.5"), place=("binary_cross_entropy", "in BCELoss("),
    remedy=("if they are logits", "BCEWithLogitsLoss"),
)  # fmt: skip
mistake(
    "A sigmoid before its loss", UserWarning,
    """
    x, target = mg.tensor([1.5, -2.0], requires_grad=True), mg.tensor([1.0, 0.0])
    loss = F.binary_cross_entropy_with_logits(mg.sigmoid(x), target)
    """,
    cause="this input is the result of one already",
    place="binary_cross_entropy_with_logits applies the sigmoid itself",
    remedy=("give it the logits", "or the probabilities to binary_cross_entropy"),
)  # fmt: skip
mistake(
    "Labels that are no integers", errors.DTypeError,
    """
    labels = np.array([0.0, 1.0, 2.0, 0.0])
    F.cross_entropy(mg.zeros((4, 3)), labels)
    """,
    cause="labels must be integers, not float64", place="cross_entropy", remedy="labels.astype(int)",
)  # fmt: skip
mistake(
    "A label without a class", errors.IndexingError,
    """
    labels = np.array([1, 2, 3, 1])
    F.cross_entropy(mg.zeros((4, 3)), labels)
    """,
    cause="label 3 is not one of the classes 0 to 2", place="cross_entropy",
    remedy=("count labels from 0", "a score for each class", "ignore_index"),
)  # fmt: skip
mistake(
    "One-hot labels", errors.ShapeError,
    """
    labels = np.array([[1, 0, 0], [0, 1, 0]])
    F.nll_loss(F.log_softmax(mg.zeros((2, 3)), dim=1), labels)
    """,
    cause="labels of shape (2, 3) do not fit predictions that want shape (2,)", place="nll_loss",
    remedy="labels.argmax(axis=1)",
)  # fmt: skip
mistake(
    "Labels before scores", errors.ShapeError,
    """
    scores, labels = mg.zeros((4, 3)), np.array([0, 1, 2, 0])
    F.cross_entropy(labels, scores)
    """,
    cause="labels of shape (4, 3) do not fit predictions that want shape ()", place="cross_entropy",
    remedy=("the predictions first", "cross_entropy(predictions, labels)"),
)  # fmt: skip
mistake(
    "A prediction that is None", errors.DTypeError,
    """
    def predict(x):
        y = 2 * x

    F.mse_loss(predict(mg.ones(4)), mg.ones(4))
    """,
    cause="a NoneType holds none", place="mse_loss: an operand", remedy="is a `return` missing in the function",
)  # fmt: skip
mistake(
    "Complex numbers in a loss", errors.DTypeError,
    """
    F.huber_loss(mg.tensor([3 + 4j]), mg.tensor([0j]))
    """,
    cause=("is defined for real numbers", "is complex"), place="huber_loss",
    remedy=("np.abs(x)", "mse_loss and l1_loss take complex operands"),
)  # fmt: skip
mistake(
    "A model for its predictions", errors.DTypeError,
    """
    F.mse_loss(nn.Linear(2, 1), mg.ones((4, 1)))
    """,
    cause="a Linear computes them when it is called", place="mse_loss: an operand", remedy="write f(x), not f",
)  # fmt: skip

# Models

_groups.append("Models")

mistake(
    "Features that do not fit the next layer", errors.ShapeError,
    """
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(4, 2))
    model(mg.zeros((16, 4)))
    """,
    cause="an input of shape (16, 8) does not fit a weight of shape (2, 4)",
    place=("linear", "in Linear(in_features=4, out_features=2, bias=True), which is '2' of Sequential"),
    remedy="make the layer with in_features=8",
)  # fmt: skip
mistake(
    "A Flatten too few", errors.ShapeError,
    """
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Linear(2704, 10))
    model(mg.zeros((2, 1, 28, 28)))
    """,
    cause="an input of shape (2, 4, 26, 26) does not fit a weight of shape (10, 2704)",
    place=("linear", "which is '1' of Sequential"), remedy="nn.Flatten()",
)  # fmt: skip
mistake(
    "Images with the channels last", errors.ShapeError,
    """
    images = mg.zeros((2, 28, 28, 3))
    nn.Conv2d(3, 8, kernel_size=5)(images)
    """,
    cause=("a weight of shape (8, 3, 5, 5)", "an input of shape (2, 28, 28, 3)", "the input has 28 channels"),
    place=("conv2d", "in Conv2d(3, 8"), remedy=("in_channels=28", "moveaxis(x, -1, 1)"),
)  # fmt: skip
mistake(
    "Images without a channel", errors.ShapeError,
    """
    image = mg.zeros((28, 28))
    nn.Conv2d(1, 8, kernel_size=5)(image)
    """,
    cause="must have shape (N, C, d1, d2) or (C, d1, d2), not (28, 28)", place=("conv2d", "in Conv2d(1, 8"),
    remedy="x[None]",
)  # fmt: skip
mistake(
    "A kernel larger than the image", errors.ShapeError,
    """
    nn.Conv2d(1, 8, kernel_size=5)(mg.zeros((1, 1, 3, 3)))
    """,
    cause=("a kernel of size (5, 5)", "axes of lengths (3, 3)"), place=("conv2d", "in Conv2d(1, 8"),
    remedy=("make the kernel smaller", "pad the input"),
)  # fmt: skip
mistake(
    "BatchNorm of one sample", errors.ShapeError,
    """
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
    model(mg.zeros((1, 4)))
    """,
    cause=("in training each channel needs more than one value", "(1, 8)"),
    place=("batch_norm", "in BatchNorm1d(8", "which is '1' of Sequential"), remedy=("drop_last=True", "eval()"),
)  # fmt: skip
mistake(
    "Floating-point numbers for an Embedding", errors.DTypeError,
    """
    words = mg.tensor([1.0, 2.0])
    nn.Embedding(10, 3)(words)
    """,
    cause="indices must be integers, not float64", place=("embedding", "in Embedding(10, 3)"),
    remedy="indices.astype(int)",
)  # fmt: skip
mistake(
    "A word that an Embedding does not have", errors.IndexingError,
    """
    words = np.array([1, 10])
    nn.Embedding(10, 3)(words)
    """,
    cause="index 10 is not one of the rows 0 to 9", place=("embedding", "in Embedding(10, 3)"),
    remedy=("count from 0", "num_embeddings"),
)  # fmt: skip
mistake(
    "The constructor of Module not called", AttributeError,
    """
    class Net(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 1)

    Net()
    """,
    cause="has no place for parameters and modules yet", place="Net.__init__", remedy="call super().__init__()",
)  # fmt: skip
mistake(
    "forward misspelt", NotImplementedError,
    """
    class Net(nn.Module):
        def foward(self, x):
            return x

    Net()(mg.ones(2))
    """,
    cause="defines no forward()", place="Net", remedy=("def forward(self, x)", "is foward meant to be it?"),
)  # fmt: skip
mistake(
    "Layers in a plain list", UserWarning,
    """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(2, 2), nn.Linear(2, 1)]

    Net()
    """,
    cause=("a plain list of Modules", "neither trained nor saved"), place="Net.layers",
    remedy=("nn.ModuleList(...)", "keep them in a tuple"),
)  # fmt: skip
mistake(
    "A Tensor for a Parameter", UserWarning,
    """
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = mg.tensor(1.0, requires_grad=True)

    Scale()
    """,
    cause=("requires grad and no Parameter", "neither trained nor saved"), place="Scale.factor",
    remedy=("nn.Parameter(...)", "register_buffer"),
)  # fmt: skip
mistake(
    "A state_dict of other sizes", errors.StateDictError,
    """
    saved = nn.Linear(3, 1, bias=False).state_dict()
    nn.Linear(2, 1).load_state_dict(saved)
    """,
    cause=("missing: bias", "weight: shape (1, 3), the model has (1, 2)"), place="does not fit Linear",
    remedy=("Nothing was loaded", "Build the model with the sizes with which it was saved"),
)  # fmt: skip
mistake(
    "A state_dict of a wrapped model", errors.StateDictError,
    """
    saved = {"module.weight": np.ones((1, 2)), "module.bias": np.ones(1)}
    nn.Linear(2, 1).load_state_dict(saved)
    """,
    cause=("missing: weight, bias", "unexpected: module.weight, module.bias"), place="does not fit Linear",
    remedy=("begin with 'module.'", "take that off with str.removeprefix"),
)  # fmt: skip
mistake(
    "A state_dict of complex numbers", errors.StateDictError,
    """
    saved = {"weight": np.ones((1, 2), complex), "bias": np.ones(1, np.float32)}
    nn.Linear(2, 1).load_state_dict(saved)
    """,
    cause="weight: dtype complex128, the model has float64", place="does not fit Linear", remedy="Build the model",
)  # fmt: skip
mistake(
    "A model for its state_dict", errors.DTypeError,
    """
    trained = nn.Linear(2, 1)
    nn.Linear(2, 1).load_state_dict(trained)
    """,
    cause="this is a Linear", place="Linear.load_state_dict takes a dict of arrays", remedy="give it its state_dict()",
)  # fmt: skip
mistake(
    "A list for Sequential", errors.DTypeError,
    """
    layers = [nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)]
    nn.Sequential(layers)
    """,
    cause="this is a list", place="item 0 of Sequential must be a Module", remedy="write nn.Sequential(*layers)",
)  # fmt: skip
mistake(
    "A class for a layer", errors.DTypeError,
    """
    nn.Sequential(nn.Linear(2, 4), nn.ReLU)
    """,
    cause="this is the class ReLU", place="item 1 of Sequential must be a Module", remedy="nn.ReLU()",
)  # fmt: skip
mistake(
    "A mode assigned", AttributeError,
    """
    model = nn.Linear(2, 1)
    model.train = False
    """,
    cause=("is a method", "would change no mode"), place="Linear.train", remedy="write model.eval()",
)  # fmt: skip

# Training

_groups.append("Training")

mistake(
    "An iterator of parameters used twice", errors.ArgumentError,
    """
    params = nn.Linear(2, 1).parameters()
    count = sum(p.size for p in params)
    optim.SGD(params, lr=0.1)
    """,
    cause=("got no parameters", "can be gone through once only"), place="SGD",
    remedy=("list(model.parameters())", "nn.ModuleList", "nn.Parameter"),
)  # fmt: skip
mistake(
    "A Tensor for a list", errors.DTypeError,
    """
    w = mg.tensor([1.0], requires_grad=True)
    optim.SGD(w, lr=0.1)
    """,
    cause="this is a single Tensor of shape (1,)", place="SGD takes an iterable of parameters", remedy="write [w]",
)  # fmt: skip
mistake(
    "A model for its parameters", errors.DTypeError,
    """
    optim.Adam(nn.Linear(2, 1))
    """,
    cause="this is a Linear", place="Adam takes an iterable of parameters", remedy="write model.parameters()",
)  # fmt: skip
mistake(
    "An optimizer of a result", errors.GraphError,
    """
    w = 0.1 * mg.tensor([1.0, 2.0], requires_grad=True)
    optim.SGD([w], lr=0.1)
    """,
    cause=("is no leaf", "the result of multiply, of shape (2,)"), place="SGD: parameter 0",
    remedy=("give the leaves themselves", "w.detach().requires_grad_()"),
)  # fmt: skip
mistake(
    "A parameter twice", errors.ArgumentError,
    """
    layer = nn.Linear(2, 1)
    optim.SGD([*layer.parameters(), layer.weight], lr=0.1)
    """,
    cause=("of shape (1, 2), is there twice",), place="SGD: parameter 2 ('weight')", remedy="leave one out",
)  # fmt: skip
mistake(
    "A misspelt option", errors.ArgumentError,
    """
    groups = [{"params": nn.Linear(2, 1).parameters(), "momentun": 0.9}]
    optim.SGD(groups, lr=0.1)
    """,
    cause="has no option momentun", place="SGD", remedy="did you mean momentum?",
)  # fmt: skip
mistake(
    "step() without gradients", UserWarning,
    """
    optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
    optimizer.step()
    """,
    cause="no parameter has a gradient", place="SGD.step() changed nothing",
    remedy=("call backward() on a loss that depends on them first", "zero_grad() before that"),
)  # fmt: skip
mistake(
    "The schedule before the optimizer", UserWarning,
    """
    optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=10)
    schedule.step()
    """,
    cause="skips the first learning rate", place="StepLR.step()", remedy="call optimizer.step() first",
)  # fmt: skip
mistake(
    "The state of another optimizer", errors.StateDictError,
    """
    layer = nn.Linear(2, 1)
    saved = optim.SGD(layer.parameters(), lr=0.1).state_dict()
    optim.Adam(layer.parameters()).load_state_dict(saved)
    """,
    cause="Adam has no option dampening, momentum, nesterov", place="does not fit Adam",
    remedy="Load it into an optimizer of the class that it was saved from",
)  # fmt: skip
mistake(
    "One number for betas", errors.ArgumentError,
    """
    optim.Adam(nn.Linear(2, 1).parameters(), betas=0.9)
    """,
    cause="betas must be two numbers", place="Adam", remedy="betas=(0.9, 0.999), not 0.9",
)  # fmt: skip

# Functions and their derivatives

_groups.append("Functions and their derivatives")

mistake(
    "The gradient of a vector", errors.GraphError,
    """
    def f(x):
        return x * x

    mg.grad(f)(np.ones(3))
    """,
    cause=("functions that return a single number", "returned an array of shape (3,)"),
    place="f (at train.py:1 `def f(x):`)", remedy=("sum, mean", "jacobian"),
)  # fmt: skip
mistake(
    "A function without a return", errors.GraphError,
    """
    def f(x):
        y = x * x

    mg.grad(f)(3.0)
    """,
    cause="returned nothing", place="f (at train.py:1 `def f(x):`)", remedy="is a `return` missing?",
)  # fmt: skip
mistake(
    "The gradient by an integer", errors.DTypeError,
    """
    mg.grad(lambda x: x * x)(3)
    """,
    cause=("floating-point and complex numbers", "int64 3"), place="an argument is",
    remedy=("a decimal point", "argnums"),
)  # fmt: skip
mistake(
    "The gradient of an index", errors.DTypeError,
    """
    def f(x):
        return np.argmax(x)

    mg.grad(f)(np.array([1.0, 3.0, 2.0]))
    """,
    cause=("functions that return a real floating-point number", "returned int64 1", "come in steps"),
    place="f (at train.py:1 `def f(x):`)", remedy=("Return a floating-point number", "not by comparisons, argmax"),
)  # fmt: skip
mistake(
    "The gradient of a complex number", errors.DTypeError,
    """
    def f(z):
        return z * z

    mg.grad(f)(1 + 1j)
    """,
    cause=("functions that return a real floating-point number", "returned complex128 2j"),
    place="f (at train.py:1 `def f(z):`)", remedy=("return np.real(y), np.imag(y) or np.abs(y)", "use jacobian"),
)  # fmt: skip
mistake(
    "A value for a function", errors.DTypeError,
    """
    x = mg.tensor(3.0)
    mg.grad(np.sin(x))
    """,
    cause="this is float64 0.14", place="grad takes a function", remedy="grad(f)(x)",
)  # fmt: skip
mistake(
    "Too few rules", errors.DTypeError,
    """
    @mg.primitive(lambda g, y, a, b: g * b)
    def times(a, b, /):
        return a * b
    """,
    cause=("has 2 operands", "and 1 rules"), place="primitive: times",
    remedy=("give one for each operand", "one `joint` rule for all"),
)  # fmt: skip
mistake(
    "A rule that returns another shape", errors.ShapeError,
    """
    @mg.primitive(lambda g, y, x: np.sum(2 * g))
    def double(x, /):
        return 2 * x

    x = mg.tensor([1.0, 2.0], requires_grad=True)
    double(x).sum().backward()
    """,
    cause=("returned a gradient of shape ()", "its operand has shape (2,)"),
    place=("the derivative rule of double", "detect_anomaly() to see the line that called double"),
    remedy="must return an array of the operand's shape",
)  # fmt: skip
mistake(
    "A gradient check in float32", errors.DTypeError,
    """
    x = np.ones(3, np.float32)
    mg.gradcheck(lambda x: x * x, x)
    """,
    cause=("is float32", "finite differences need the digits of float64"), place="gradcheck: input 0",
    remedy="x.astype(np.float64)",
)  # fmt: skip
mistake(
    "An objective that returns an array", errors.ShapeError,
    """
    def bowl(x):
        return x * x

    optim.minimize(bowl, np.ones(2))
    """,
    cause="returned an array of shape (2,)", place=("minimize: the objective bowl", "at train.py:1 `def bowl(x):`"),
    remedy="return its sum or mean",
)  # fmt: skip
mistake(
    "An objective that leaves the graph", errors.GraphError,
    """
    def bowl(x):
        return float((x.detach() ** 2).sum())

    optim.minimize(bowl, np.ones(2))
    """,
    cause=("returned 2.0 of type float", "was not computed from x by operations"),
    place=("minimize: the objective bowl", "at train.py:1 `def bowl(x):`"),
    remedy="use minigrad's or NumPy's functions",
)  # fmt: skip
mistake(
    "A point for argnums", errors.DTypeError,
    """
    slope = mg.grad(np.sin, 3.0)
    """,
    cause=("argnums says by which arguments to differentiate", "this is 3.0"), place="grad", remedy="grad(f)(x)",
)  # fmt: skip
mistake(
    "jvp without tuples", errors.DTypeError,
    """
    value, slope = mg.jvp(np.sin, 3.0, 1.0)
    """,
    cause=("a tuple with one for each argument", "this is 3.0"), place="jvp: primals",
    remedy="write jvp(f, (x,), (v,))",
)  # fmt: skip

# Programs

_groups.append("Programs")

mistake(
    "A branch on a value in a program", errors.ProgramError,
    """
    def halved_if_large(x):
        return x / 2 if x.sum() > 10 else x

    mg.program.trace(halved_if_large, mg.ones(3))
    """,
    cause="bool() of a Tensor", place="train.py:2",
    remedy="where(condition, a, b)",
)  # fmt: skip
mistake(
    "A value that is read in a program", errors.ProgramError,
    """
    def scaled(x):
        return x * x.max().item()

    mg.program.trace(scaled, mg.ones(3))
    """,
    cause="item() of a Tensor", place="train.py:2",
    remedy="compute with the Tensor instead of its number",
)  # fmt: skip
mistake(
    "A mask in a program", errors.ProgramError,
    """
    mg.program.trace(lambda x: x[x > 0].sum(), mg.ones(3))
    """,
    cause="the number of elements that a mask leaves", place="train.py:1",
    remedy="where(condition, a, b)",
)  # fmt: skip
mistake(
    "A list that a program fills", errors.ProgramError,
    """
    losses = []

    def step(x):
        loss = (x * x).sum()
        losses.append(loss)
        return x * 2

    mg.program.trace(step, mg.ones(3))
    """,
    cause="is still held when it has returned", place="train.py:4",
    remedy="Return it",
)  # fmt: skip
mistake(
    "A program that returns a number", errors.ProgramError,
    """
    mg.program.trace(lambda x: 1.0, mg.ones(3))
    """,
    cause="returned a float (1.0)", place="<lambda>",
    remedy="What is not computed from Tensors is known outside",
)  # fmt: skip
mistake(
    "A program with another shape", errors.ProgramError,
    """
    program = mg.program.trace(lambda x: x * 2, mg.ones(3))
    program.replay(mg.ones(4))
    """,
    cause="as float64 of shape (3,), and is run with float64 (4,)", place="inputs[0]",
    remedy="trace it again for this form",
)  # fmt: skip
mistake(
    "A constant of a program that has changed", errors.ProgramError,
    """
    table = np.array([1.0, 2.0])
    program = mg.program.trace(lambda x: x * table, mg.ones(2))
    table[0] = 5.0
    program.replay(mg.ones(2))
    """,
    cause="was written to after the trace", place="<lambda>",
    remedy=("pass it as an argument", "make it a Tensor"),
)  # fmt: skip
mistake(
    "An argument that a program changes", errors.ProgramError,
    """
    def shifted(x):
        x += 1
        return x

    mg.program.trace(shifted, mg.ones(2))
    """,
    cause="in place while it was traced", place="inputs[0]",
    remedy="compute a new value and return it",
)  # fmt: skip
mistake(
    "L-BFGS in a program", errors.ProgramError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.LBFGS([w])

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    mg.program.trace(lambda: optimizer.step(closure))
    """,
    cause="cannot be a part of a program", place="LBFGS",
    remedy="and call it outside",
)  # fmt: skip
mistake(
    "A number outside of a compiled function that changes", errors.ProgramError,
    """
    scale = 2.0

    @mg.jit
    def scaled(x):
        return scale * x

    scaled(mg.ones(2))
    scale = 3.0
    scaled(mg.ones(2))
    """,
    cause="result 0 was not the same", place="scaled",
    remedy="Pass it as an argument",
)  # fmt: skip
mistake(
    "A backward pass to an argument of a compiled function", errors.ProgramError,
    """
    @mg.jit
    def step(w):
        (w * w).sum().backward()
        return w * 1

    step(mg.tensor([1.0, 2.0], requires_grad=True))
    """,
    cause="came to the grad of its", place="step",
    remedy="Return the gradient",
)  # fmt: skip
mistake(
    "A static argument that cannot be a key", errors.ArgumentError,
    """
    @mg.jit(static="sizes")
    def padded(x, sizes):
        return mg.pad(x, sizes)

    padded(mg.ones(3), [1, 1])
    """,
    cause="cannot be hashed: sizes (list)", place="padded",
    remedy="pass a tuple instead of a list",
)  # fmt: skip
mistake(
    "A static argument that does not exist", errors.ArgumentError,
    """
    def power(x, exponent):
        return x**exponent

    mg.jit(power, static="n")
    """,
    cause="static names 'n'", place="jit of power",
    remedy="the arguments are x, exponent",
)  # fmt: skip
mistake(
    "A carry that changes its form", errors.ArgumentError,
    """
    def add(total, x):
        return total + x, None

    mg.scan(add, 0, mg.tensor([0.5, 0.25]))
    """,
    cause=("an array of the carry was int64", "is float64"), place="scan",
    remedy=("Begin with float64", "astype"),
)  # fmt: skip
mistake(
    "A condition of many elements", errors.ArgumentError,
    """
    x = mg.tensor([1.0, -1.0])
    mg.cond(x > 0, mg.sqrt, mg.zeros_like, x)
    """,
    cause=("a condition is a single bool", "shape (2,)"), place="cond",
    remedy=("mg.all", "mg.any"),
)  # fmt: skip
mistake(
    "Two branches with different results", errors.ArgumentError,
    """
    @mg.jit
    def f(x):
        return mg.cond(mg.sum(x) > 0, mg.sum, mg.sqrt, x)

    f(mg.tensor([1.0, 4.0]))
    """,
    cause="float64 of shape () and float64 of shape (2,)", place="cond",
    remedy="with the same shapes and dtypes",
)  # fmt: skip
mistake(
    "The gradient of a compiled loop of unknown length", errors.ProgramError,
    """
    @mg.jit
    def f(x):
        return mg.while_loop(lambda v: mg.sum(v) < 100, lambda v: v * 2, x)

    mg.jit(mg.grad(lambda x: mg.sum(f(x))))(mg.tensor([1.0, 2.0]))
    """,
    cause="how often its body runs is not known", place="while_loop",
    remedy="Write scan with a fixed length",
)  # fmt: skip

# Files, data and packages

_groups.append("Files, data and packages")

mistake(
    "A file of torch.save", errors.ArgumentError,
    """
    state = mg.load("model.pt")
    """,
    cause=("must end with .npz or .safetensors", "are pickles as a rule, and to load one is to run code"),
    place="model.pt", remedy="safetensors.torch.save_file(model.state_dict(), path)",
)  # fmt: skip
mistake(
    "A pickle under another name", errors.FileError,
    """
    import pickle

    with open("weights.npz", "wb") as file:
        pickle.dump({"weight": 1.0}, file)
    state = mg.load("weights.npz")
    """,
    cause=("this is a pickle", "to load one is to run code"), place="weights.npz cannot be loaded",
    remedy="Save the weights as .safetensors",
)  # fmt: skip
mistake(
    "A file that was cut off", errors.FileError,
    """
    mg.save("weights.npz", {"weight": mg.ones(300)})
    with open("weights.npz", "r+b") as file:
        file.truncate(200)
    state = mg.load("weights.npz")
    """,
    cause="it is truncated or damaged", place="weights.npz cannot be loaded", remedy="Copy or download it again",
)  # fmt: skip
mistake(
    "Samples of different shapes", errors.ShapeError,
    """
    loader = data.DataLoader([np.ones(2), np.ones(3)], batch_size=2)
    batches = list(loader)
    """,
    cause="samples of shapes (2,), (3,) do not make a batch", place="DataLoader",
    remedy=("pad them to one shape", "a collate_fn"),
)  # fmt: skip
mistake(
    "Arrays of different lengths", errors.ShapeError,
    """
    X, y = np.ones((5, 2)), np.ones(4)
    data.TensorDataset(X, y)
    """,
    cause="first axes of one length, not of [5, 4]", place="TensorDataset", remedy="an entry for each sample",
)  # fmt: skip
mistake(
    "Samples without numbers", errors.DTypeError,
    """
    lines = (line for line in ["1.0", "2.0"])
    data.DataLoader(lines, batch_size=2)
    """,
    cause="this generator has no __getitem__", place="DataLoader", remedy=("give it a list", "data.IterableDataset"),
)  # fmt: skip
mistake(
    "A worker that dies", errors.WorkerError,
    """
    import os

    class Broken(data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            os._exit(1)  # as a crash in a library would

    batches = list(data.DataLoader(Broken(), num_workers=1, workers="processes", multiprocessing_context="fork"))
    """,
    cause=("died, with exit code 1", "Out of memory, or a crash in a library?"),
    place="worker 0 (a process) of the data loader", remedy="With num_workers=0 the fault shows itself",
)  # fmt: skip
mistake(
    "A package that is not installed", errors.MissingPackageError,
    """
    optim.minimize(lambda x: (x * x).sum(), np.ones(2), method="BFGS")
    """,
    cause="needs the package scipy, which is not installed", place="minimize with method='BFGS'",
    remedy=("pip install scipy (the extra `scipy`)", "chosen by optimizer=, need nothing"), without="scipy",
)  # fmt: skip

_groups.append("Several processes")

mistake(
    "A collective without a process group", errors.DistributedError,
    """
    total = mg.distributed.all_reduce(np.ones(3))
    """,
    cause="needs a process group", place="all_reduce", remedy="call minigrad.distributed.init_process_group() first",
)  # fmt: skip
mistake(
    "A backend of PyTorch's", errors.ArgumentError,
    """
    mg.distributed.init_process_group("nccl")
    """,
    cause="there is one backend, 'mpi', and not 'nccl'", place="init_process_group", remedy="leave it out",
)  # fmt: skip
mistake(
    "A Tensor that requires grad for a collective", errors.GraphError,
    """
    mg.distributed.init_process_group()
    loss = mg.tensor(3.0, requires_grad=True) ** 2
    try:
        mg.distributed.all_reduce(loss, "mean")
    finally:
        mg.distributed.destroy_process_group()
    """,
    cause="all_reduce has no derivative", place="all_reduce",
    remedy=("give it t.detach()", "nn.parallel.DistributedDataParallel"),
)  # fmt: skip

# Leaving

_groups.append("Leaving")

mistake(
    "A model that is still in training, as C", errors.ProgramError,
    """
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5))
    mg.export.c(model, np.zeros((1, 4)), path="model.c")
    """,
    cause="Sequential is in training and draws random numbers", place="export.c",
    remedy=("call model.eval() first", "a whole step of training"),
)  # fmt: skip
mistake(
    "Random numbers in C", errors.UnsupportedError,
    """
    def noisy(x):
        return x + mg.random.randn(*x.shape)

    mg.export.c(noisy, np.zeros(3), path="noisy.c")
    """,
    cause="export.c has no random numbers", place="train.py:2 `return x + mg.random.randn(*x.shape)`",
    remedy="let it take them as an argument",
)  # fmt: skip
mistake(
    "An operation that C has not", errors.UnsupportedError,
    """
    def direction(a, b):
        return mg.linalg.solve(a, b)

    mg.export.c(direction, np.eye(2), np.ones(2), path="direction.c")
    """,
    cause="export.c has nothing for solve", place="train.py:2 `return mg.linalg.solve(a, b)`",
    remedy="write it in other operations",
)  # fmt: skip
mistake(
    "Complex numbers in JavaScript", errors.UnsupportedError,
    """
    text = mg.export.javascript(lambda z: mg.abs(z), np.array([3 + 4j]))
    """,
    cause=("argument z is of complex128", "float64"), place="export.javascript", remedy="convert it before",
)  # fmt: skip
mistake(
    "A step whose first call begins something", errors.ProgramError,
    """
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)

    def step(x):
        optimizer.zero_grad()
        loss = ((w - x) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    mg.export.c(step, np.zeros(2), path="step.c")
    """,
    cause="there is no w.momentum_buffer yet, so that the first call of step differs", place="export.c",
    remedy="call step once before it is exported",
)  # fmt: skip
mistake(
    "A live page of three variables", errors.ArgumentError,
    """
    page = mg.plot.explore(lambda w: (w**2).sum(), np.ones(3))
    """,
    cause="explore shows a plane, and the start has 3 coordinates", place="explore",
    remedy=("give plane=(origin, direction, direction)", "plot.project(runs)"),
)  # fmt: skip
mistake(
    "L-BFGS on a live page", errors.ArgumentError,
    """
    page = mg.plot.explore(mg.objectives.rosenbrock, optimizers=["SGD", "LBFGS"])
    """,
    cause="LBFGS (here 'LBFGS') computes the loss several times in a step", place="explore",
    remedy=("leave it out", "plot.contour"),
)  # fmt: skip
mistake(
    "ONNX is not installed", errors.MissingPackageError,
    """
    model = nn.Linear(4, 2).eval()
    mg.export.onnx(model, np.zeros((1, 4)), "model.onnx")
    """,
    cause="not installed", place="export.onnx", remedy="pip install onnx", without="onnx",
)  # fmt: skip


# What is said of each


def what_is_said(row, tmp_path, monkeypatch):
    """Run a program: the type of the exception or warning that it ends with, and all that Python prints of it."""
    monkeypatch.chdir(tmp_path)
    if row.without:
        monkeypatch.setitem(sys.modules, row.without, None)
    monkeypatch.setitem(linecache.cache, FILE, (len(row.program), None, row.program.splitlines(True), FILE))
    before = [(registry, dict(registry)) for registry in (primitives, numpy_functions)]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(compile(row.program, FILE, "exec"), {**NAMES, "__name__": "train"})
    except Exception as error:
        lines = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        assert FILE in lines
        return type(error), "".join(traceback.format_exception_only(error)).strip()
    finally:
        for registry, known in before:
            registry.clear()
            registry.update(known)
    assert len(caught) == 1, "the program ran, and without a word"
    assert caught[0].filename == FILE, "the warning points to a line that is not the user's"
    return caught[0].category, f"{FILE}:{caught[0].lineno}: {caught[0].category.__name__}: {caught[0].message}"


TABLE = [
    pytest.param(
        row,
        id=row.title,
        marks=pytest.mark.skipif(
            '"fork"' in row.program and "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
        ),
    )
    for row in MISTAKES
]
passed = set()


@each("row", TABLE, row=lambda row: row.group)
def test_a_mistake_is_told_with_its_cause_its_place_and_its_remedy(row, tmp_path, monkeypatch):
    kind, said = what_is_said(row, tmp_path, monkeypatch)
    assert kind is row.kind, said
    for part in ("cause", "place", "remedy"):
        words = getattr(row, part)
        assert words, f"the row names no {part}"
        for word in words:
            assert word in said, f"the {part} {word!r} is missing in: {said}"
    passed.add(row.title)


def test_there_are_forty_of_them_at_least():
    assert len({row.program for row in MISTAKES}) == len({row.title for row in MISTAKES}) == len(MISTAKES) >= 40
    print(f"\n{len(passed)} of {len(MISTAKES)} messages name cause, place and remedy")


# The page that shows them


def sections(page):
    """The text under each heading of the third level, by the headings of the second and third."""
    group, found = "", {}
    for part in re.split(r"^(?=##+ )", page, flags=re.M):
        heading, _, text = part.partition("\n")
        if heading.startswith("### "):
            found[group, heading[4:]] = text
        elif heading.startswith("## "):
            group = heading[3:]
    return found


def words(text):
    return re.sub(r"\s+", " ", text).strip()


SECTIONS = sections(PAGE.read_text(encoding="utf-8"))


def test_the_page_has_a_section_for_each_mistake_in_the_order_of_the_table():
    assert list(SECTIONS) == [(row.group, row.title) for row in MISTAKES]


@each("row", TABLE, row=lambda row: row.group)
def test_the_page_shows_the_program_and_what_is_said_of_it(row, tmp_path, monkeypatch):
    text = SECTIONS[row.group, row.title]
    program, message, explained = re.fullmatch(r"\n*```py\n(.*?)```\n*```text\n(.*?)```\n(.*)", text, re.S).groups()
    # Formatters put a second blank line after a function on the page.
    assert re.sub(r"\n+", "\n", program) == re.sub(r"\n+", "\n", row.program)
    assert len(words(explained)) > 40
    _, said = what_is_said(row, tmp_path, monkeypatch)
    said, message = (re.sub(r"(?<=number )\d+", "N", words(x)) for x in (said, message))  # counted by the process
    pattern = ".*".join(re.escape(part) for part in message.split("..."))
    assert re.fullmatch(pattern, said), f"the page should show:\n{said}"

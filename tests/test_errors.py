"""Bad input.  Each mistake raises an exception of ours that is also the built-in one which users of NumPy or PyTorch
would catch, says what it was about, and leaves everything as it was."""

import builtins
import inspect
import operator
import pickle
import re

import numpy as np
import pytest
import scipy.special

import minigrad as mg
from minigrad import errors
from minigrad.errors import other_names
from tests.rows import each, named


def leaf(*shape):
    return mg.tensor(np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape), requires_grad=True, name="x")


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    classes = {
        name: cls
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ == errors.__name__
    }
    drawn, path = {}, []
    for line in errors.__doc__.splitlines():
        word = line.lstrip("│├└─ ").split(" ")[0]
        if word in classes:
            depth = line.index(word) // 4 - 1
            path[depth:] = [word]
            drawn[word] = path[max(depth - 1, 0)]
            for builtin in re.findall(r"\w+Error", "".join(re.findall(r"\(.*?\)", line))):
                assert issubclass(classes[word], getattr(builtins, builtin))
    assert set(drawn) == set(classes)
    for name, parent in drawn.items():
        assert issubclass(classes[name], classes[parent])


def test_exceptions_are_known_under_the_name_of_the_package():
    assert {cls.__module__ for cls in vars(errors).values() if inspect.isclass(cls)} == {"minigrad.errors"}
    assert repr(errors.GraphError) == "<class 'minigrad.errors.GraphError'>"


def test_every_exception_survives_pickling_as_worker_processes_need():
    with pytest.raises(errors.ShapeError) as caught:
        leaf(3) + np.ones(4)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is errors.ShapeError
    assert str(again) == str(caught.value)


# One row for each mistake: what is done to a leaf of shape (3, 4), which exceptions one may catch, words in the message

E, ROWS = errors, {}


def mistake(name, *exceptions, words=()):
    def register(do):
        ROWS[name] = do, exceptions, (words,) if isinstance(words, str) else words
        return do

    return register


def shapes_that_do_not_fit():
    rows = {
        "add": (lambda x: x + np.ones(3), "(3, 4)", "(3,)"),
        "subtract": (lambda x: np.ones((2, 1, 1, 5)) - x, "(3, 4)", "(2, 1, 1, 5)"),
        "multiply": (lambda x: x * mg.ones((4, 3)), "(3, 4)", "(4, 3)"),
        "divide": (lambda x: np.ones(3) / x, "(3, 4)", "(3,)"),
        "pow": (lambda x: x ** np.ones(3), "(3, 4)", "(3,)"),
        "maximum": (lambda x: np.maximum(x, np.ones(3)), "(3, 4)", "(3,)"),
        "less": (lambda x: x < np.ones(3), "(3, 4)", "(3,)"),
        "where": (lambda x: mg.where(x > 0, x, np.ones(3)), "(3, 4)", "(3,)"),
        "matmul": (lambda x: x @ x, "(3, 4)", "(3, 4) and (3, 4)"),
        "matmul with a row": (lambda x: np.ones(5) @ x, "(5,)", "(3, 4)"),
        "matmul with a number": (lambda x: x @ 2.0, "(3, 4)", "()"),
        "matmul of a number": (lambda x: mg.sum(x) @ x, "(3, 4)", "()"),
        "concat": (lambda x: mg.concat([x, mg.ones((3, 5))]), "(3, 4)", "(3, 5)"),
        "stack": (lambda x: mg.stack([x, mg.ones((3, 5))]), "(3, 4)", "(3, 5)"),
        "reshape": (lambda x: x.reshape(5, 5), "(3, 4)", "(5, 5)"),
        "broadcast_to": (lambda x: mg.broadcast_to(x, (2, 4)), "(3, 4)", "(2, 4)"),
        "einsum": (lambda x: mg.einsum("ij,jk->ik", x, x), "(3, 4)", "ij,jk->ik"),
        "tensordot": (lambda x: mg.tensordot(x, x, axes=1), "(3, 4)", "(3, 4) and (3, 4)"),
        "setitem": (lambda x: operator.setitem(x * 1.0, 0, np.ones(3)), "(3, 4)", "(3,)"),
        "permute_dims": (lambda x: mg.permute_dims(x, (0, 0)), "(3, 4)", "(0, 0)"),
        "squeeze": (lambda x: x.squeeze(0), "(3, 4)", "0"),
        "split": (lambda x: mg.split(x, 2), "3", "2"),
        "matmul of dot": (lambda x: np.dot(x, x), "(3, 4) and (3, 4)"),
    }
    for name, (do, *words) in rows.items():
        mistake(name, E.ShapeError, ValueError, words=(name.split(" ")[0], *words))(do)


shapes_that_do_not_fit()

for _name, _do in {
    "sum": lambda x: x.sum(axis=2),
    "mean": lambda x: x.mean(axis=-3),
    "max": lambda x: mg.max(x, axis=(0, 2)),
    "softmax": lambda x: mg.softmax(x, axis=2),
    "cumulative_sum": lambda x: mg.cumulative_sum(x, axis=2),
    "argmax": lambda x: mg.argmax(x, axis=2),
    "sort": lambda x: mg.sort(x, axis=2),
    "concat": lambda x: mg.concat([x, x], axis=2),
    "stack": lambda x: mg.stack([x, x], axis=3),
    "flip": lambda x: mg.flip(x, axis=2),
    "swapaxes": lambda x: x.swapaxes(0, 2),
    "squeeze": lambda x: x.squeeze(2),
    "expand_dims": lambda x: mg.expand_dims(x, axis=4),
    "moveaxis": lambda x: mg.moveaxis(x, 2, 0),
    "permute_dims": lambda x: mg.permute_dims(x, (0, 2)),
    "prod": lambda x: mg.prod(x, axis=2),
    "split": lambda x: mg.split(x, 2, axis=2),
    "take": lambda x: mg.take(x, [0], axis=2),
    "take_along_axis": lambda x: mg.take_along_axis(x, np.zeros((3, 4), int), axis=2),
    "logsumexp": lambda x: mg.logsumexp(x, axis=2),
    "repeat": lambda x: mg.repeat(x, 2, axis=2),
    "std": lambda x: np.std(x, axis=2),
    "diagonal": lambda x: mg.diagonal(x, axis1=0, axis2=2),
    "roll": lambda x: mg.roll(x, 1, axis=2),
}.items():
    mistake(f"axis of {_name}", E.AxisError, ValueError, IndexError, words="axis")(_do)

for _name, _do in {
    "number": lambda x: x[3],
    "second axis": lambda x: x[0, 4],
    "array": lambda x: x[[0, 5]],
    "too many": lambda x: x[0, 0, 0],
    "mask": lambda x: x[np.array([True, False])],
    "take": lambda x: mg.take(x, [12]),
    "take on an axis": lambda x: mg.take(x, [4], axis=1),
    "write": lambda x: operator.setitem(x * 1.0, 3, 0.0),
    "write to a leaf": lambda x: mg.no_grad()(operator.setitem)(x, 3, 0.0),
    "float": lambda x: x[1.5],
    "text": lambda x: x["a"],
    "array of floats": lambda x: x[np.array([0.0, 1.0])],
    "on a single number": lambda x: x.sum()[0],
    "list on a single number": lambda x: x.sum()[[0]],
}.items():
    mistake(f"index: {_name}", E.IndexingError, IndexError, words="index")(_do)

for _name, (_do, *_words) in {
    "text operand": (lambda x: mg.add(x, "one"), "add", "str"),
    "None operand": (lambda x: mg.exp(None), "exp", "NoneType"),
    "bits of floats": (lambda x: x & 1, "bitwise_and", "float64"),
    "not of floats": (lambda x: ~x, "invert", "float64"),
    "text into a Tensor": (lambda x: mg.tensor("one"), "numbers"),
    "None into a Tensor": (lambda x: mg.tensor([1.0, None]), "numbers"),
    "objects": (lambda x: mg.asarray([None]), "numbers"),
    "integers that require grad": (lambda x: mg.tensor([1], requires_grad=True), "int64", "decimal point"),
    "text as dtype of elements": (lambda x: x.astype(str), "number"),
    "complex gradient": (lambda x: x.backward(np.full((3, 4), 1j)), "complex128", "float64"),
    "text gradient": (lambda x: x.backward(np.full((3, 4), "a")), "gradient"),
    "complex grad": (lambda x: setattr(x, "grad", np.full((3, 4), 1j)), "complex128", "float64"),
    "complex into a real leaf": (lambda x: mg.no_grad()(operator.setitem)(x, 0, 1j), "complex128", "float64"),
    "complex into a real value": (lambda x: operator.setitem(x * 1.0, 0, 1j), "complex128", "float64"),
    "text into an element": (lambda x: operator.setitem(x * 1.0, 0, "a"), "str"),
    "in-place division of integers": (lambda x: operator.itruediv(mg.tensor([1]), 2), "int64", "float64"),
    "default dtype": (lambda x: mg.set_default_dtype(int), "int64"),
    "length of a number": (lambda x: len(x.sum()), "length"),
    "float of many": (lambda x: float(x.detach()), "(3, 4)"),
    "float as an index": (lambda x: [1, 2][mg.tensor(1.0)], "integer", "float64"),
    "fractional shape": (lambda x: x.reshape(1.5, 8), "reshape"),
    "fractional axis": (lambda x: x.sum(axis=0.5), "sum"),
}.items():
    mistake(_name, E.DTypeError, TypeError, words=_words)(_do)

for _name, (_do, *_words) in {
    "backward without a graph": (lambda x: mg.tensor(1.0).backward(), "requires_grad=True"),
    "backward under no_grad": (lambda x: mg.no_grad()(mg.sum)(x).backward(), "no_grad"),
    "backward on many numbers": (lambda x: (x * x).backward(), "(3, 4)", "sum()", "gradient="),
    "backward on many numbers, as a leaf": (lambda x: x.backward(), "(3, 4)"),
    "in-place on a leaf": (lambda x: operator.iadd(x, 1.0), "'x'", "no_grad"),
    "write to a leaf outside no_grad": (lambda x: operator.setitem(x, 0, 1.0), "'x'", "no_grad"),
    "numpy()": (lambda x: x.numpy(), "detach().numpy()"),
    "float()": (lambda x: float(x.sum()), "item()"),
    "grad of a constant": (lambda x: setattr(mg.tensor(1.0), "grad", 1.0), "requires grad"),
    "hook on a constant": (lambda x: mg.tensor(1.0).register_hook(print), "register_hook"),
    "constant result": (lambda x: (x * 1.0).requires_grad_(False), "detach()"),
}.items():
    mistake(_name, E.GraphError, RuntimeError, words=_words)(_do)

mistake("gradient of the wrong shape", E.ShapeError, ValueError, words=("(3,)", "(3, 4)", "gradient"))(
    lambda x: (x * x).backward(np.ones(3))
)
mistake("gradient that would broadcast", E.ShapeError, ValueError, words=("(4,)", "(3, 4)"))(
    lambda x: (x * x).backward(np.ones(4))
)
mistake("grad of the wrong shape", E.ShapeError, ValueError, words=("(3,)", "(3, 4)"))(
    lambda x: setattr(x, "grad", np.ones(3))
)
mistake("ragged operand", E.ShapeError, ValueError, words=("add", "list"))(lambda x: mg.add(x, [[1.0], [1.0, 2.0]]))
mistake("ragged Tensor", E.ShapeError, ValueError, words="list")(lambda x: mg.tensor([[1.0], [1.0, 2.0]]))
mistake("truth of many", E.ShapeError, ValueError, words=("(3, 4)", "any()", "all()"))(lambda x: bool(x > 1))
mistake("truth of none", E.ShapeError, ValueError, words="(0,)")(lambda x: bool(mg.zeros(0)))
mistake("item of many", E.ShapeError, ValueError, words=("(3, 4)", "tolist()"))(lambda x: x.item())
mistake("T of many axes", E.ShapeError, ValueError, words=("(1, 3, 4)", "mT"))(lambda x: x.reshape(1, 3, 4).T)
mistake("write of the wrong shape to a leaf", E.ShapeError, ValueError, words=("(3,)",))(
    lambda x: mg.no_grad()(operator.setitem)(x, 0, np.ones(3))
)
mistake("in-place change of shape", E.ShapeError, ValueError, words=("(4,)", "(3, 4)", "new value"))(
    lambda x: operator.iadd(mg.ones(4), x)
)
mistake("largest of none", E.ShapeError, ValueError, words=("max", "(0,)"))(lambda x: mg.max(mg.zeros(0)))
mistake("nothing to stack", E.ShapeError, ValueError, words="at least one")(lambda x: mg.stack([]))
mistake("einsum without operand", E.ShapeError, ValueError, words=("2", "1"))(lambda x: mg.einsum("ij,jk", x))
mistake("unsupported function", E.UnsupportedError, TypeError, words=("gammaincinv", "nearest", "@minigrad.primitive"))(
    lambda x: scipy.special.gammaincinv(2.0, x)
)
mistake("unsupported method of a ufunc", E.UnsupportedError, TypeError, words=("numpy.add.at", "+="))(
    lambda x: np.add.at(x, 0, 1.0)
)
mistake("out=", E.UnsupportedError, TypeError, words=("numpy.exp", "out"))(lambda x: np.exp(x, out=np.ones((3, 4))))
mistake("ndarray += Tensor", E.UnsupportedError, TypeError, words="out")(lambda x: operator.iadd(np.ones((3, 4)), x))
mistake("assignment to an array", E.CutError, TypeError, RuntimeError, words=("detach()", "ndarray"))(
    lambda x: operator.setitem(np.ones((3, 4)), slice(None), x)
)


@each(("do", "exceptions", "words"), named(ROWS))
def test_a_mistake_is_caught_explained_and_changes_nothing(do, exceptions, words):
    x = leaf(3, 4)
    x.grad = np.full((3, 4), 7.0)
    node, value, memory = x.node, x.tolist(), x.data
    with pytest.raises(errors.MinigradError) as caught:
        do(x)
    for exception in exceptions:
        assert isinstance(caught.value, exception)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert len(message) > 20
    assert "  " not in message.replace("\n  ", "")
    assert "core dimension" not in message  # NumPy's internal vocabulary
    assert (x.node is node, x.data is memory, x.tolist()) == (True, True, value)
    assert x.grad.tolist() == [[7.0] * 4] * 3
    assert mg.is_grad_enabled()
    assert mg.get_default_dtype() == np.float64


def test_a_failed_in_place_operation_leaves_name_value_and_graph():
    x = leaf(3, 4)
    y = x * 2.0
    value, node = y.tolist(), y.node
    for fail in (
        lambda: operator.iadd(y, np.ones(3)),
        lambda: operator.iadd(y, np.ones((2, 3, 4))),
        lambda: operator.imul(y, 1j),
        lambda: operator.setitem(y, 9, 1.0),
        lambda: operator.setitem(y, 0, np.ones(9)),
    ):
        with pytest.raises(errors.MinigradError):
            fail()
        assert (y.tolist(), y.node is node) == (value, True)
    y.sum().backward()
    assert (x.grad == 2.0).all()


def test_a_backward_pass_with_a_bad_gradient_releases_nothing():
    x = leaf(2)
    y = x * x
    for bad in (None, np.ones(3), np.array(["a", "b"]), [[1], [1, 2]]):
        with pytest.raises(errors.MinigradError):
            y.backward(bad)
    y.backward(np.ones(2))
    assert x.grad.tolist() == [2.0, 4.0]


def test_numpy_sees_the_same_mistakes_as_ours_when_minigrads_functions_get_arrays():
    array = np.ones((3, 4))
    for do in (lambda: mg.add(array, np.ones(3)), lambda: mg.matmul(array, array), lambda: mg.softmax(array, axis=2)):
        with pytest.raises(errors.ShapeError, match=r"\(3, 4\)"):
            do()


def test_messages_about_operations_keep_numpys_exception_as_their_cause():
    with pytest.raises(errors.ShapeError) as caught:
        leaf(3, 4) + np.ones(3)
    assert type(caught.value.__cause__) is ValueError


def test_a_wrong_keyword_is_a_plain_type_error_that_names_it():
    for do in (lambda x: x.sum(dim=0), lambda x: mg.softmax(x, dim=0), lambda x: x.reshape(shape=(4, 3), axis=1)):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            do(leaf(3, 4))


# What to write instead


@pytest.mark.parametrize(("a", "b", "words"), [
    ((5, 3), (5,), r"with shape \(5, 1\), from reshape, the second would fit$"),
    ((5,), (5, 3), r"with shape \(5, 1\), from reshape, the first would fit$"),
    ((2, 5, 3), (2, 5), r"with shape \(2, 5, 1\), from reshape, the second would fit$"),
    ((5, 3), (4,), r"reshape or transpose one of them, or make axes of length 1"),
    ((5, 3), (3, 5), r"reshape or transpose one of them"),
])  # fmt: skip
def test_of_shapes_that_do_not_broadcast_the_message_finds_those_that_would(a, b, words):
    with pytest.raises(errors.ShapeError, match=words):
        mg.ones(a) + mg.ones(b)


@pytest.mark.parametrize(("a", "b", "words"), [
    ((5, 3), (2, 3), "a @ b.mT, the second"),
    ((3, 5), (3, 2), "a.mT @ b, the first"),
    ((5, 3), (4, 2), "transpose or reshape one"),
    ((5, 3), (4,), "transpose or reshape one"),
    ((4,), (5, 3), "transpose or reshape one"),
])  # fmt: skip
def test_of_a_matrix_product_the_message_finds_the_transposed_that_would_fit(a, b, words):
    with pytest.raises(errors.ShapeError, match=words):
        mg.ones(a) @ mg.ones(b)


@pytest.mark.parametrize(("shape", "words"), [
    ((), "a single number has none"), ((3,), "its only axis is 0"), ((3, 4), "0 to 1, or -1 to -2 from the end"),
])  # fmt: skip
def test_of_an_axis_the_message_says_which_there_are(shape, words):
    with pytest.raises(errors.AxisError, match=words):
        mg.sum(mg.ones(shape), axis=7)


def test_of_a_missing_prefix_the_message_says_where_the_state_belongs():
    model = mg.nn.Sequential(mg.nn.Linear(2, 1))
    with pytest.raises(errors.StateDictError, match=r"Some keys lack '0\.': load the state into that part"):
        model.load_state_dict(model[0].state_dict())


# Where in a model


class Net(mg.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.Sequential(mg.nn.Tanh(), mg.nn.Linear(4, 1)))
        self.head = mg.nn.Linear(1, 1)

    def forward(self, x):
        return self.head(self.encoder(x))


def raised_by(model, x, kind=errors.MinigradError):
    """The exception of a call of a model, and what was noted on it."""
    with pytest.raises(kind) as caught:
        model(x)
    return caught.value, getattr(caught.value, "__notes__", [])


def test_an_error_in_a_model_names_the_layer_and_its_path():
    error, notes = raised_by(Net(), mg.ones((5, 2)))
    assert notes == ["in Linear(in_features=4, out_features=1, bias=True), which is 'encoder.1.1' of Net"]
    assert raised_by(Net().head, mg.ones((5, 2)))[1] == ["in Linear(in_features=1, out_features=1, bias=True)"]
    assert pickle.loads(pickle.dumps(error)).__notes__ == notes


def test_an_error_out_of_a_hidden_layer_names_the_layer_alone():
    class Hiding(mg.nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.layers = layers

        def forward(self, x):
            return self.layers[0](x)

    layer = mg.nn.Linear(4, 1)
    assert raised_by(Hiding(layer), mg.ones((5, 2)))[1] == ["in Linear(in_features=4, out_features=1, bias=True)"]


def test_an_error_of_the_users_own_gets_no_note():
    class Failing(mg.nn.Module):
        def forward(self, x):
            raise KeyError(x)

    assert raised_by(mg.nn.Sequential(Failing()), 1, KeyError)[1] == []


# Parts that a module does not find


@pytest.mark.parametrize(("value", "words"), [
    ([mg.nn.Tanh()], r"Net\.part is a plain list of Modules.*nn\.ModuleList"),
    ({"a": mg.nn.Tanh()}, r"nn\.ModuleDict"),
    ([mg.nn.Parameter(1.0)], r"nn\.ParameterList"),
    ({"a": mg.nn.Parameter(1.0)}, r"nn\.ParameterDict"),
    (leaf(2), r"Net\.part is a Tensor that requires grad and no Parameter"),
])  # fmt: skip
def test_parts_that_a_module_does_not_find_are_warned_of(value, words):
    net = Net()
    with pytest.warns(UserWarning, match=words) as caught:
        net.part = value
    assert caught[0].filename == __file__


@each("value", [
    (mg.nn.Tanh(),), [], [1, mg.nn.Tanh()], [mg.nn.Tanh(), None], {}, {"a": 1}, mg.ones(2), leaf(2) * 2.0,
])  # fmt: skip
def test_other_attributes_are_not_warned_of(value):
    net = Net()
    net.part = value
    assert net.part is value


# Names of other libraries

INSTEAD = [pytest.param(name, code, id=name) for name, code in other_names._INSTEAD.items()]


@each(("name", "code"), INSTEAD)
def test_what_is_to_be_written_for_a_name_of_other_libraries_can_be_run(name, code):
    assert f": write {code}" in str(other_names.of_other_tensors(name))
    for statement in code.split(", or "):
        given = {"x": mg.ones((2, 3)), "y": mg.ones((2, 3)), "z": mg.ones((3, 2)), "shape": (2, 3), "axes": (1, 0)}
        given |= {"mask": np.ones((2, 3), bool), "indices": np.zeros((1, 3), int), "dtype": np.float32, "v": 2.0}
        exec(statement, {"minigrad": mg, "i": 0, "j": 1, "n": 1, "low": 0, "high": 1, "start": 0, "stop": 1} | given)


@each("name", other_names.OF_OTHER_TENSORS)
def test_a_name_of_other_libraries_is_no_attribute_and_is_not_listed(name):
    for x in (mg.ones(2), mg.nn.Parameter([1.0])):
        assert not hasattr(x, name)
        assert name not in dir(x)
    assert not hasattr(mg.Tensor, name)
    assert "a function" not in other_names.OF_OTHER_TENSORS[name] or callable(getattr(mg, name))


def test_attributes_of_tensors_and_probes_of_protocols_stay_what_they_were():
    x = mg.ones(2)
    assert {"reshape", "sum", "backward", "grad", "__array_ufunc__"} <= set(dir(x))
    assert "__getattr__" not in dir(mg.Tensor), "it would make every look at an attribute slower under Python 3.11"
    with pytest.raises(AttributeError, match="'__array_interface__'"):
        x.__array_interface__  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'sume'"):
        x.sume  # noqa: B018

    class Own(mg.Tensor):
        def view(self, *shape):
            return self.reshape(*shape)

    assert Own([1.0, 2.0]).view(2, 1).shape == (2, 1)


@pytest.mark.parametrize(("do", "words"), [
    (lambda x: x.sum(axis=0, keepdim=True), "'keepdim': write keepdims="),
    (lambda x: mg.permute_dims(x, dims=(1, 0)), "'dims': write axes="),
    (lambda x: x.var(unbiased=True), "'unbiased': write correction="),
    (lambda x: x.sum(axes=0), "'axes'$"),
])  # fmt: skip
def test_of_pytorchs_keywords_the_message_says_ours(do, words):
    with pytest.raises(TypeError, match=words):
        do(leaf(3, 4))


FUNCTION_LAYERS = [
    cls
    for cls in vars(mg.nn).values()
    if inspect.isclass(cls) and issubclass(cls, mg.nn.layer.FunctionLayer) and hasattr(cls, "function")
]


@each("cls", FUNCTION_LAYERS)
def test_a_layer_that_is_made_of_its_input_names_the_function_instead(cls):
    with pytest.raises(errors.DTypeError, match=rf"nn\.{cls.__name__}\(\)\(\w+") as caught:
        cls(mg.ones((2, 3)), np.ones((2, 3)))
    function = re.search(r"F\.(\w+)\(", str(caught.value)).group(1)
    assert callable(getattr(mg.nn.functional, function))


def test_layers_keep_the_signature_of_their_constructors_and_losses_their_weights():
    assert str(inspect.signature(mg.nn.LeakyReLU)).startswith("(negative_slope: float = 0.01")
    assert str(inspect.signature(mg.nn.Tanh)) == "() -> None"
    assert str(inspect.signature(mg.nn.ReLU())) == "(*args: Any, **kwargs: Any) -> Any"
    assert mg.nn.CrossEntropyLoss(mg.ones(3)).weight.shape == (3,)
    assert mg.nn.MultiMarginLoss(1, 1.0, np.ones(3)).weight.shape == (3,)


@pytest.mark.parametrize("argnums", [3.0, "x", [0.0], np.ones(2), mg.tensor(1.0)])
def test_argnums_that_are_no_integers_are_refused(argnums):
    for transform in (mg.grad, mg.value_and_grad, mg.jacobian, mg.hessian):
        with pytest.raises(errors.DTypeError, match="argnums says by which arguments"):
            transform(np.sin, argnums)


def test_modes_are_methods_and_other_attributes_may_be_called_what_they_like():
    model = mg.nn.Linear(2, 1)
    for name, value, instead in (("train", True, "train"), ("eval", True, "eval"), ("eval", False, "train")):
        with pytest.raises(AttributeError, match=rf"write model\.{instead}\(\)"):
            setattr(model, name, value)
    model.trained = True
    assert model.eval().training is False


def test_a_sampler_of_the_users_spares_the_data_set_its_length():
    class Squares:
        def __getitem__(self, i):
            return i * i

    with pytest.raises(errors.DTypeError, match="this Squares has no __len__"):
        mg.data.DataLoader(Squares())
    assert [batch.tolist() for batch in mg.data.DataLoader(Squares(), sampler=[3, 1])] == [[9], [1]]

"""PyTorch's Tensor in minigrad's engine: a subclass with PyTorch's methods.

Its methods mean other things than those of the package's Tensors, by which the package is written.  So operands go in
as the package's Tensors, of the same values and nodes (`plain`), and results come out as Tensors of this class
(`adopted`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import ref

import numpy as np

from minigrad.core import interpreter, is_grad_enabled, name_of, notes_of, unwrap
from minigrad.diagnostics import user_place
from minigrad.errors.dialects import leaf_in_place, no_such_device, no_such_method, recorded_into_view, warn_of_number
from minigrad.errors.other_names import OF_OTHER_TENSORS
from minigrad.errors.tensors import other_dtype_in_place
from minigrad.hooks import RemovableHandle
from minigrad.nn.module import Parameter as OurParameter
from minigrad.ops.shaping import astype
from minigrad.ops.shaping import broadcast_to as mg_broadcast
from minigrad.tensor import Tensor as OurTensor
from minigrad.torch.memory import note_constant_write, note_reader, require_constants, warn_of_readers
from minigrad.views import View, note_view, viewed_from
from minigrad.writes import note_write

__all__ = [
    "TYPES",
    "OurParameter",
    "OurTensor",
    "Parameter",
    "Size",
    "Tensor",
    "adopted",
    "constructed",
    "device",
    "heard",
    "in_place",
    "lengths",
    "made",
    "plain",
    "promoted",
    "require_cpu",
]
_default = np.dtype(np.float32)
TYPES = {
    "float16": "HalfTensor", "float32": "FloatTensor", "float64": "DoubleTensor", "int8": "CharTensor",
    "int16": "ShortTensor", "int32": "IntTensor", "int64": "LongTensor", "uint8": "ByteTensor", "bool": "BoolTensor",
    "complex64": "ComplexFloatTensor", "complex128": "ComplexDoubleTensor",
}  # fmt: skip


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of Tensors that are made of Python's floats: float32, as in PyTorch, and in this module alone."""
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Choose it."""
    global _default
    _default = np.dtype(dtype)


class Size(tuple[int, ...]):
    """A shape."""

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements."""
        return int(np.prod(self))


class device(str):  # PyTorch's name
    """The CPU; other devices are refused."""

    def __new__(cls, name: Any = "cpu", index: int | None = None) -> "device":
        if str(name).split(":")[0] != "cpu":
            raise no_such_device(str(name))
        return super().__new__(cls, "cpu")

    @property
    def type(self) -> str:
        """Always "cpu"."""
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


def require_cpu(place: Any) -> None:
    """Refuse a device, if one is named, other than the CPU."""
    if place is not None:
        device(place)


def adopted(x: Any) -> Any:
    """A result as Tensors of this dialect: in place, as nobody has them yet."""
    if isinstance(x, OurTensor):
        if not isinstance(x, Tensor):
            x.__class__ = Parameter if isinstance(x, OurParameter) else Tensor
        if getattr(x, "viewed", None) is not None and (source := viewed_from(x)) is not None:
            note_reader(source, x)
        return x
    if isinstance(x, np.ndarray | np.generic):
        return _named(x)
    if isinstance(x, tuple | list) and not isinstance(x, Size):
        parts = [adopted(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return {key: adopted(part) for key, part in x.items()} if type(x) is dict else x


def plain(x: Any) -> Any:
    """Operands as the package's own Tensors, also in lists."""
    if isinstance(x, Tensor):
        made = name_of(x.array, x.node)
        made.viewed = View(ref(x), x.array, getattr(x, "viewed", None))  # so that views of it are known as views of `x`
        return made
    if type(x) in (list, tuple):
        return type(x)([plain(part) for part in x])
    return {key: plain(part) for key, part in x.items()} if type(x) is dict else x


def renamed(x: Any) -> Any:
    """Arguments as Tensors of this dialect, which leave the package's as they are."""
    if isinstance(x, OurTensor):
        return adopted(name_of(x.array, x.node))
    if type(x) in (list, tuple):
        return type(x)([renamed(part) for part in x])
    return {key: renamed(part) for key, part in x.items()} if type(x) is dict else x


def heard(f: Any) -> Any:
    """A function of the dialect as the package calls it."""
    return lambda *args, **kwargs: plain(f(*renamed(args), **renamed(kwargs)))


def _named(array: Any) -> "Tensor":
    made: Tensor = name_of(array, None)
    made.__class__ = Tensor
    return made


def promoted(*operands: Any) -> list[Any]:
    """Operands in the dtype that PyTorch computes in, where NumPy's would be another.

    Of a kind of numbers, arrays with axes decide, then those without, then Python's numbers; integers and floats
    together have the dtype of the floats.
    """
    dtype = _common_dtype(operands)
    is_other = [hasattr(x, "dtype") and x.dtype not in (dtype, np.bool_) for x in operands]
    return [astype(x, dtype) if other else x for x, other in zip(operands, is_other, strict=True)]


def _common_dtype(operands: Sequence[Any]) -> Any:
    """The dtype that PyTorch computes in; None of Python's numbers alone."""
    arrays = [x for x in operands if hasattr(x, "dtype")]
    if not arrays:
        return None
    kinds = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
    highest = max([kinds[x.dtype.kind] for x in arrays] + [2 * isinstance(x, float) for x in operands])
    of_kind = [x for x in arrays if kinds[x.dtype.kind] == highest]
    deciding = [x for x in of_kind if x.ndim] or of_kind
    return np.result_type(*(x.dtype for x in deciding)) if deciding else get_default_dtype()


def made(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A new Tensor of numbers, lists of them, or arrays; floats of Python have the default dtype."""
    if isinstance(data, list | tuple):
        leaves = list(_leaves(data))
        if any(getattr(x, "requires_grad", False) for x in leaves):
            warn_of_number("torch.tensor")
        common = _common_dtype(leaves)
        dtype, data = common if dtype is None and common != np.bool_ else dtype, _values(data)
    kind = "" if isinstance(data, OurTensor | np.ndarray | np.generic) else np.asarray(data).dtype.kind
    if dtype is None and kind in ("f", "c"):
        dtype = np.result_type(get_default_dtype(), np.complex64) if kind == "c" else get_default_dtype()
    return adopted(OurTensor(np.array(unwrap(data)) if isinstance(data, OurTensor) else data, dtype, requires_grad))


def _leaves(data: Any) -> Iterator[Any]:
    for x in data:
        if isinstance(x, list | tuple):
            yield from _leaves(x)
        else:
            yield x


def _values(data: Any) -> Any:
    """Lists with arrays in the place of Tensors."""
    return [_values(x) for x in data] if isinstance(data, list | tuple) else unwrap(data)


def constructed(data: Sequence[Any], dtype: Any) -> np.ndarray:
    """What ``torch.Tensor(*data)`` holds: numbers, if they come in a list or an array, and of several lengths zeros."""
    if len(data) == 1 and not isinstance(data[0], int | np.integer | Size):
        if isinstance(data[0], float):
            raise TypeError("torch.Tensor(number) takes lengths: write torch.tensor(number)")
        return np.array(_values(data[0]), dtype)
    return np.zeros(lengths(data) if data else 0, dtype)


class Tensor(OurTensor):
    """A Tensor with PyTorch's methods."""

    __slots__ = ()

    def __init__(self, *data: Any, device: Any = None) -> None:
        require_cpu(device)
        super().__init__(constructed(data, get_default_dtype()))

    def __getattr__(self, name: str) -> Any:
        raise no_such_method(name)

    @property
    def data(self) -> Any:
        """The value as a Tensor in the same memory, which in-place methods write to."""
        return _named(OurTensor.data.fget(self))  # type: ignore[attr-defined]  # a property's function

    @data.setter
    def data(self, value: Any) -> None:
        OurTensor.data.fset(self, unwrap(value))  # type: ignore[attr-defined]

    @property
    def grad(self) -> Any:
        """The sum of the gradients, or None."""
        return adopted(OurTensor.grad.fget(self))  # type: ignore[attr-defined]

    @grad.setter
    def grad(self, value: Any) -> None:
        OurTensor.grad.fset(self, value)  # type: ignore[attr-defined]

    @property
    def shape(self) -> Size:
        """The lengths of the axes."""
        return Size(self.array.shape)

    @property
    def device(self) -> device:
        """The CPU."""
        return device()

    def size(self, dim: int | None = None) -> Any:  # type: ignore[override]  # PyTorch's is a method
        """The lengths of the axes, or of one."""
        return self.shape if dim is None else self.shape[dim]

    def detach(self) -> Any:
        """The value without its history; of a leaf in the same memory."""
        if self.node is not None and self.node.op is None and interpreter() is None:
            return self.data
        return adopted(super().detach())

    def __getitem__(self, index: Any) -> Any:
        free = self.node is None or (self.node.op is None and not is_grad_enabled())
        if free and interpreter() is None and isinstance(self.array, np.ndarray) and _is_basic(index):
            # What is written to the view is written here.
            view = _named(_view(self.array, index))
            note_view(view, self)
            note_reader(self, view)
            return view
        return adopted(plain(self)[plain(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.node is None and getattr(value, "node", None) is None and interpreter() is None:
            self.array[unwrap_all(index)] = unwrap(value)
            self._note_write(_view(self.array, index) if _is_basic(index) else self.array)
            return
        self._require_whole()
        warn_of_readers(self, value)
        super().__setitem__(plain(index), plain(value))

    def _require_whole(self) -> None:
        """Raise if what is about to be written in the graph would not reach the Tensor that this is a part of."""
        if viewed_from(self) is not None and not ((place := user_place()) and place.stores_item):
            raise recorded_into_view()
        self.viewed = None

    def written(self, result: Any) -> Any:
        """The Tensor itself with another value: in its memory where nothing is recorded, and otherwise in the graph."""
        value = unwrap(result)
        if not np.can_cast(np.result_type(value), self.dtype, "same_kind"):
            raise other_dtype_in_place(self.dtype, np.result_type(value))
        recorded = getattr(result, "node", None) is not None and is_grad_enabled()
        node = self.node
        is_constant = node is None
        if is_constant and not recorded and interpreter() is None:
            if isinstance(self.array, np.ndarray):
                self.array[...] = value
                self._note_write(self.array)
            else:
                self.array = np.asarray(value, self.dtype)[()]
            return self
        if node is not None and node.op is None and is_grad_enabled():
            raise leaf_in_place()
        filled = np.array(np.broadcast_to(value, self.array.shape), self.dtype)
        self._require_whole()
        warn_of_readers(self, result)
        if node is not None and node.op is not None and not is_grad_enabled():
            self.array = filled  # as in PyTorch, gradients go on to what it was computed from
            return self
        if recorded or interpreter() is not None:
            return self._become(mg_broadcast(plain(result), self.array.shape))
        return self._become(name_of(filled, None))

    def _note_write(self, array: Any) -> None:
        """Tell those who need the old value: graphs, and the leaf that this is a view of."""
        if isinstance(array, np.ndarray):
            note_constant_write(array)
        whole = viewed_from(self)
        if whole is not None and whole.node is not None:
            notes_of(whole.node)
            note_write(whole.node, user_place())

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call `hook` with the gradient whenever a backward pass has computed it."""
        return super().register_hook(heard(hook))

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: bool = False) -> None:
        """Add the gradients of this Tensor to the `grad` of the leaves."""
        require_constants([self])
        super().backward(plain(gradient), retain_graph=bool(retain_graph), create_graph=create_graph)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype; on the CPU."""
        for x in (*args, *kwargs.values()):
            if isinstance(x, OurTensor):
                return self.to(x.dtype)
            if isinstance(x, str | device):
                require_cpu(x)
            elif x is not None and not isinstance(x, bool):
                return self if self.dtype == np.dtype(x) else adopted(astype(plain(self), np.dtype(x)))
        return self

    @property
    def is_cuda(self) -> bool:
        """Never."""
        return False

    @property
    def grad_fn(self) -> Any:
        """The operation that it is the result of; None for leaves and constants."""
        return None if self.node is None else self.node.op

    def type(self, dtype: Any = None) -> Any:
        """In another dtype, also by the name of a type; without one, that name."""
        if dtype is None:
            return f"torch.{TYPES[self.dtype.name]}"
        names = {f"torch.{name}": dtype for dtype, name in TYPES.items()}
        return self.to(np.dtype(names[dtype]) if isinstance(dtype, str) else getattr(dtype, "dtype", dtype))

    def type_as(self, other: Any) -> Any:
        """In the dtype of another."""
        return self.to(other.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return adopted(super().__deepcopy__(memo))


class Parameter(Tensor, OurParameter):
    """A Tensor that a Module registers."""

    __slots__ = ()

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        array = unwrap(data)
        OurParameter.__init__(
            self, array if hasattr(array, "dtype") else np.asarray(array, get_default_dtype()), requires_grad
        )


def _operators() -> None:
    """Operators; of Tensors of integers with Tensors of floats, and of quotients of integers, with PyTorch's dtypes."""

    def operator_of(name: str) -> Callable[[Any, Any], Any]:
        ours = getattr(OurTensor, name)

        def method(self: Any, other: Any) -> Any:
            x, y = plain(self), plain(other)
            x, y = promoted(x, y) if hasattr(y, "dtype") or isinstance(y, float) else (x, y)
            if "truediv" in name and x.array.dtype.kind in "biu":
                x, y = (astype(z, get_default_dtype()) if hasattr(z, "dtype") else z for z in (x, y))
            with np.errstate(all="ignore"):
                return adopted(ours(x, y))

        return method

    for sign in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
        for name in (f"__{sign}__", f"__r{sign}__"):
            if hasattr(OurTensor, name):
                setattr(Tensor, name, operator_of(name))
        setattr(Tensor, f"__i{sign}__", in_place(f"__i{sign}__", getattr(Tensor, f"__{sign}__")))
    for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        setattr(Tensor, name, operator_of(name))
    # And what the package has written by the names that mean other things here.
    for name in [
        "__neg__",
        "__pos__",
        "__abs__",
        "__invert__",
        "item",
        "tolist",
        "numpy",
        "__index__",
        "__bool__",
        "__repr__",
        "__format__",
        "__len__",
        "_repr_html_",
        "__array__",
        "T",
        "mT",
        "H",
    ]:
        ours = getattr(OurTensor, name, None)
        if isinstance(ours, property):
            setattr(Tensor, name, property(_by_the_package(ours.fget)))
        elif ours is not None:
            setattr(Tensor, name, _by_the_package(ours))
    for name, kind in [("__float__", float), ("__int__", int), ("__complex__", complex)]:
        setattr(Tensor, name, _number(kind))
    Tensor.__iter__ = lambda self: (self[i] for i in range(len(self)))  # type: ignore[method-assign]


def _by_the_package(f: Any) -> Callable[..., Any]:
    """A method as the package has it, which gives Tensors of the dialect, or arrays and numbers as they are."""

    def method(self: Any, *args: Any, **how: Any) -> Any:
        result = f(plain(self), *args, **how)
        return adopted(result) if isinstance(result, OurTensor) else result

    return method


def _number(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """PyTorch converts results too, and warns that gradients end there."""

    def method(self: Any) -> Any:
        if self.requires_grad:
            warn_of_number(kind.__name__)
        return kind(self.array)

    return method


def _is_basic(index: Any) -> bool:
    """Whether an index consists of numbers, slices and the like, which give views."""
    parts = index if isinstance(index, tuple) else (index,)
    kinds = (int, np.integer, slice, type(None), type(Ellipsis))
    return all(isinstance(part, kinds) and not isinstance(part, bool) for part in parts)


def _view(array: np.ndarray, index: Any) -> np.ndarray:
    """What a basic index picks, also a single element, as an array in the same memory."""
    parts = index if isinstance(index, tuple) else (index,)
    picked: np.ndarray = array[parts if Ellipsis in parts else (*parts, ...)]
    return picked


def unwrap_all(index: Any) -> Any:
    """The arrays of an index."""
    return tuple(map(unwrap, index)) if isinstance(index, tuple) else unwrap(index)


def in_place(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that writes what a function makes into the Tensor."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return self.written(function(self, *args, **kwargs))

    method.__name__ = name
    return method


def lengths(shape: Sequence[Any]) -> tuple[int, ...]:
    """A shape that is given as one tuple, or as several numbers."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    return tuple(int(n) for n in given)


_operators()
# The package's advice for these names is not in PyTorch's words.
for _name in OF_OTHER_TENSORS.keys() - vars(Tensor).keys():
    setattr(Tensor, _name, property())  # so that `__getattr__` is asked

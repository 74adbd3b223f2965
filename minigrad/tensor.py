"""Tensor: what people hold.  Operators, methods, display; the mathematics is in `ops`."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import autograd, errors
from minigrad.conversions import Conversions
from minigrad.core import (
    PLAIN,
    Array,
    Handle,
    Node,
    Operation,
    Primitive,
    apply,
    binary,
    interpreter,
    is_grad_enabled,
    leaf,
    name_of,
    no_grad,
    notes_of,
    numpy_functions,
    set_result_type,
    traced,
    unwrap,
)
from minigrad.diagnostics import user_place
from minigrad.errors import other_names, tensors
from minigrad.errors.backward import no_graph, warn_of_no_grad, wrong_grad
from minigrad.hooks import RemovableHandle
from minigrad.operands import numeric, numeric_operand
from minigrad.ops import elementwise, indexing, linalg, reductions, shaping, sorting, sparse
from minigrad.ops.devices import CPU, require_cpu
from minigrad.settings import unusual
from minigrad.views import is_compact, note_view, viewed_from
from minigrad.writes import lend, note_write

# Operators


def _foreign(operand: Any) -> bool:
    """Whether an operand is of a kind that Python should ask for the result, before we give up."""
    known = isinstance(operand, (Handle, list, tuple, np.ndarray)) or operand.__class__ in PLAIN
    return not known and not hasattr(operand, "__array__")


def _apply_or_refuse(op: Operation, operands: tuple[Any, ...]) -> Any:
    return sparse.with_operator(op.name, operands) if any(map(_foreign, operands)) else apply(op, operands)


def _operators(function: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], ...]:
    """The methods for ``x ∘ y``, ``y ∘ x`` and ``x ∘= y``."""
    made: Primitive = function.primitive  # type: ignore[attr-defined]
    op = Operation(made, made.defaults)
    compute = binary(op, _apply_or_refuse) if made.differentiable else lambda x, y: _apply_or_refuse(op, (x, y))

    def reflected(self: Any, other: Any) -> Any:
        return compute(other, self)

    def in_place(self: Any, other: Any) -> Any:
        result = compute(self, other)
        if result is NotImplemented:
            return result
        return self._become(result)

    return (lambda self, other: compute(self, other)) if not made.differentiable else compute, reflected, in_place


def _same_memory(a: Array, b: Array) -> bool:
    return bool(a.__array_interface__ == b.__array_interface__)


def _is_mask(index: Any) -> bool:
    return getattr(index, "dtype", None) == np.bool_


class Tensor(Conversions):
    """A name for an array that may be part of a computation graph.

    Operations on Tensors that require grad record how their results were computed; `backward` follows that
    record from a result to the leaves.  In-place syntax (``x += 1``, ``x[0] = v``) moves the name on to a new
    value, so that nothing that was computed before ever changes.

    Parameters
    ----------
    data : array_like
        Copied.  `asarray` shares memory instead.
    dtype : dtype, optional
    requires_grad : bool
        Whether gradients shall be computed with respect to this Tensor.  Only floating-point and complex Tensors can.
    name : str, optional
        For messages and pictures.

    Raises
    ------
    CutError
        If the data are a Tensor that requires grad, outside of `no_grad`: the copy would not belong to its graph.
    DTypeError
        If the data are not numbers, or are integers and `requires_grad` is set.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x**2).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ()

    def __init__(
        self, data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False, name: str | None = None
    ) -> None:
        given: Any = data
        if isinstance(given, Handle) and given.node is not None and is_grad_enabled():
            raise tensors.cut_by_copy(type(self).__name__, given.node)
        if traced(given):
            self.array = _without_history(given, dtype).array
            interpreter().adopted(self)
        else:
            self.array = numeric(unwrap(given), "a Tensor", dtype, copy=True)
        self.node: Node | None = None
        if requires_grad:
            self._become_leaf(name)

    # What it is

    @property
    def data(self) -> Array:
        """The value as an ndarray that shares memory with the Tensor; a NumPy scalar of some results.

        It can be written to.  Derivatives that need the old value are not computed then: `backward` raises
        StaleValueError.  What is assigned to `data` is written into the memory of a Tensor that requires grad.  A leaf
        becomes a new one, in other memory, if the shape or the dtype is another; of a constant it becomes the value.
        """
        self.give_out("data")
        if self.node is None or self.array.__class__ is not np.ndarray:
            return self.array
        return lend(notes_of(self.node), self.array, user_place())

    @data.setter
    def data(self, value: Any) -> None:
        self.give_out("the memory, to write to it,")
        array = numeric(unwrap(value), "data")
        if self.node is None or self.array.__class__ is not np.ndarray:
            self.array, self.viewed = array, None
            return
        if self.node.op is None and (array.shape, array.dtype) != (self.shape, self.dtype):
            fresh = Tensor(array, requires_grad=True, name=self.name)
            self.array, self.node = fresh.array, fresh.node
            return
        if array.shape != self.shape:
            raise tensors.other_shape_in_place(self.shape, array.shape)
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise tensors.other_dtype_in_place(self.dtype, array.dtype)
        notes_of(self.node)
        if not _same_memory(array, self.array):  # as it is after `x.data -= 1`
            self.array[...] = array
        note_write(self.node, user_place())

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return int(self.array.ndim)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype of the elements."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return CPU

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether no operation that is recorded made this value."""
        return self.node is None or self.node.op is None

    @property
    def name(self) -> str | None:
        """A name for messages and pictures; only Tensors that require grad have one."""
        return None if self.node is None or self.node.notes is None else self.node.notes.name

    @name.setter
    def name(self, name: str | None) -> None:
        if self.node is None:
            raise no_graph("a name")
        notes_of(self.node).name = name

    @property
    def T(self) -> "Tensor":
        """The transposed matrix, of a Tensor with two axes."""
        if self.ndim != 2:
            raise errors.ShapeError(f"T is for matrices, and this has shape {self.shape}: use mT or permute_dims")
        return self.mT

    @property
    def mT(self) -> "Tensor":
        """The last two axes exchanged."""
        return shaping.matrix_transpose(self)

    # Gradients

    def requires_grad_(self, requires_grad: bool = True, *, name: str | None = None) -> Self:
        """Make this Tensor a leaf that requires grad, or make it a constant.  Returns the Tensor itself."""
        if not requires_grad:
            if not self.is_leaf:
                raise errors.GraphError("only a leaf can stop requiring grad; detach() gives a constant of this value")
            self.node = None
        elif self.node is None:
            if interpreter() is None:  # a leaf's memory is written to, and must be its own
                self.array, self.viewed = np.array(self.array), None
            self._become_leaf(name)
        return self

    def _become_leaf(self, name: str | None) -> None:
        if self.dtype.kind not in "fc":
            raise tensors.cannot_require_grad(self.dtype)
        self.node = leaf(self.array, name)

    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add the gradient of this Tensor to the `grad` of every leaf that it was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            Of this Tensor's shape: how much each element counts.  A single number needs none.
        retain_graph : bool
            Keep the graph for another pass; otherwise it is released on the way, to save memory.
        create_graph : bool
            Record the computation of the gradients, so that they can be differentiated; implies `retain_graph`.

        Raises
        ------
        GraphError
            If nothing here requires grad, if the Tensor is not a single number and no gradient is given, if the
            graph was released before, or if a leaf was written to since. No `grad` has changed then.
        ShapeError
            If the gradient has another shape.

        Examples
        --------
        >>> import minigrad as mg
        >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward([1.0, 10.0])
        >>> x.grad
        tensor([ 2., 40.])
        """
        autograd.backward(self, gradient, retain_graph=retain_graph or create_graph, create_graph=create_graph)

    @property
    def grad(self) -> "Tensor | None":
        """The sum of the gradients from all backward passes since it was last set to None.

        Reading gives None before the first pass, and with a warning for the result of an operation, which
        keeps its gradient only after `retain_grad`. What is assigned is copied.
        """
        notes = None if self.node is None else self.node.notes
        if notes is not None and notes.keep:
            if (tracer := interpreter()) is not None:
                tracer.grad_read(self.node)
            return notes.grad  # type: ignore[return-value]  # results of operations are Tensors
        if self.node is not None and self.node.op is not None:
            warn_of_no_grad(self.node)
        return None

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if self.node is None:
            raise no_graph("a gradient")
        notes = notes_of(self.node)
        if (tracer := interpreter()) is not None:
            tracer.grad_changed(self.node)
        if gradient is None:
            notes.grad = None
            return
        given = unwrap(gradient)
        value = np.array(given) if tracer is None else given
        if value.shape != self.shape:
            raise wrong_grad(value.shape, self.node)
        if value.dtype.kind not in "biufc" or not np.can_cast(value.dtype, self.dtype, "same_kind"):
            raise errors.DTypeError(f"a gradient of dtype {value.dtype} does not fit a Tensor of dtype {self.dtype}")
        notes.grad = name_of(value.astype(self.dtype, copy=False), None)
        if isinstance(gradient, Handle) and gradient.node is not None and gradient.array.dtype == self.dtype:
            notes.grad.node = gradient.node

    def retain_grad(self) -> None:
        """Keep the gradient in `grad` although this Tensor is not a leaf."""
        if self.node is None:
            raise no_graph("retain_grad()")
        notes_of(self.node).keep = True

    def register_hook(self, hook: Callable[["Tensor"], Any]) -> RemovableHandle:
        """Call `hook` with the gradient of this Tensor whenever a backward pass has computed it.

        Parameters
        ----------
        hook : callable
            May return another gradient of the same shape, to be used instead.

        Returns
        -------
        RemovableHandle
            Its `remove` removes the hook.

        Examples
        --------
        >>> import minigrad as mg
        >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g.clip(max=3.0))
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 3.])
        >>> handle.remove()
        """
        if self.node is None:
            raise no_graph("register_hook()")
        return RemovableHandle(notes_of(self.node).hooks, hook)

    def detach(self) -> "Tensor":
        """The value without its history.  Of a leaf or a view, a copy: optimizers write into a leaf's memory."""
        if interpreter() is not None:
            return _without_history(self, self.dtype)
        may_change = self.node is not None and (self.node.op is None or getattr(self.array, "base", None) is not None)
        return name_of(self.array.copy() if may_change else self.array, None)

    # In-place syntax

    def _become(self, result: Handle, by_operator: bool = True) -> Self:
        """Move the name to a new value; or, of a leaf under `no_grad`, write the value into the leaf's memory."""
        value, tracer = result.array, interpreter()
        if self.array.__class__ in (int, float):  # such as the number of a step
            return result  # type: ignore[return-value]  # a Tensor, to which Python gives the name
        if value.shape != self.shape:
            raise tensors.other_shape_in_place(self.shape, value.shape)
        if value.dtype != self.dtype:
            if not np.can_cast(value.dtype, self.dtype, "same_kind"):
                raise tensors.other_dtype_in_place(self.dtype, value.dtype)
            result = shaping.astype(result, self.dtype)
        if self.node is not None and self.node.op is None:
            self._refuse_recording(self.node)
            if tracer is None:
                self.array[...] = result.array
            else:
                tracer.rebound(self, True)
                self.array = result.array
            note_write(self.node, user_place())
        else:
            if tracer is not None:
                tracer.rebound(self, False)
            if getattr(self, "viewed", None) is not None:
                self._warn_if_view(by_operator)
            self.array, self.node, self.viewed = result.array, result.node, None
        return self

    def _refuse_recording(self, leaf: Node) -> None:
        if is_grad_enabled():
            raise tensors.leaf_in_place(leaf)

    # Indexing

    def __getitem__(self, index: Any) -> "Tensor":
        if index.__class__ is not int and isinstance(index, (list, Handle)) and self.ndim == 0 and not _is_mask(index):
            raise errors.IndexingError("a Tensor without axes cannot be indexed: it is a single number")
        form, places = indexing.normalized(index)
        tracer = interpreter() if unusual else None
        if tracer is not None:
            indexing.require_known_count(places)
        result = apply(Operation(_getitem, {"index": form}), (self, *places))
        if type(result.array) is not np.ndarray:
            return result
        note_view(result, self)
        if self.node is None or self.node.op is not None:
            return result
        if tracer is None:
            # A leaf's memory may be written to, and what was read from it must not change.
            result.array = result.array.copy(order="K")
            if result.node is not None:
                result.node.value = result.array
        elif not is_compact(result.array):
            # In a program nobody writes to it, but NumPy's loops may give other bits where elements lie apart.
            copied = elementwise.positive(result)
            copied.viewed = getattr(result, "viewed", None)
            return copied
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        given = value if isinstance(value, Handle) else name_of(self._written(value), None)
        if not np.can_cast(given.array.dtype, self.dtype, "same_kind"):
            raise errors.DTypeError(
                f"a value of dtype {given.array.dtype} cannot be written into a Tensor of {self.dtype}"
            )
        if self.node is not None and self.node.op is None:
            self._refuse_recording(self.node)
        self._become(indexing.setitem(self, given, index), by_operator=False)

    def _warn_if_view(self, by_operator: bool) -> None:
        """Warn of a write to a view; but the operator in ``y[i] += v`` has its result stored in `y`."""
        other = viewed_from(self)
        if other is not None and not (by_operator and (place := user_place()) and place.stores_item):
            tensors.warn_of_written_view(self.shape, other.array.shape)

    def _written(self, value: Any) -> Array:
        """What is to be written as an array; of Python's numbers the dtype is weak."""
        if value.__class__ in (int, float, complex) and np.result_type(self.dtype, value) == self.dtype:
            return np.asarray(value, self.dtype)
        return numeric_operand(value, "x[index] = v")

    def __len__(self) -> int:
        if not self.ndim:
            raise errors.DTypeError("a Tensor without axes has no length: it is a single number")
        return len(self.array)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def to_device(self, device: str, /, *, stream: None = None) -> Self:
        """The Tensor itself: "cpu" is the only device, and has no streams."""
        require_cpu(device, "to_device")
        if stream is not None:
            raise errors.ArgumentError(f"to_device: {device!r} has no streams, and stream is {stream!r}")
        return self

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()) - other_names.OF_OTHER_TENSORS.keys())

    # Copies

    def __copy__(self) -> "Tensor":
        return name_of(self.array, self.node)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        cls, value, *rest = self._parts("a deep copy")
        return _rebuilt(cls, value.copy(), *rest)  # type: ignore[return-value]  # of this class

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _rebuilt, self._parts("pickling")

    def _parts(self, what: str) -> tuple[Any, ...]:
        """What a copy is made of: that of a leaf has its gradient, and that of a result would have no history."""
        self.give_out(what)
        if not self.is_leaf or (self.node is not None and notes_of(self.node).argument):
            raise tensors.no_copy(what, self.node)
        grad = None if self.grad is None else np.asarray(self.grad.array)
        return type(self), np.asarray(self.array), self.requires_grad, self.name, grad

    # Display

    def __repr__(self) -> str:
        notes = []
        if self.dtype not in (np.dtype(float), np.dtype(int), np.dtype(bool), np.dtype(complex)):
            notes.append(f"dtype={self.dtype}")
        if self.name:
            notes.append(f"name={self.name!r}")
        if self.node is not None:
            notes.append("requires_grad=True" if self.node.op is None else f"op={self.node.op}")
        text = np.array2string(np.asarray(self.array), separator=", ", prefix="tensor(", threshold=100, edgeitems=3)
        return f"tensor({', '.join([text, *notes])})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        self.give_out("a format")
        if self.size != 1:
            raise errors.ShapeError(
                f"a format like {spec!r} is for single numbers, and this Tensor has shape {self.shape}"
            )
        return format(self.array.item(), spec)

    def _repr_html_(self) -> str:
        from minigrad import display  # only notebooks need it

        facts = {} if self.name is None else {"name": self.name}
        if self.node is None:
            facts["requires grad"] = "no"
        else:
            facts |= {"requires grad": "yes", "made by": "leaf" if self.node.op is None else str(self.node.op)}
        return display.array_view(self.array, type(self).__name__, facts)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display

        return display.mimebundle(self.__repr__, include, exclude, html=self._repr_html_)

    # Operators: identity for hashing, since == compares elements

    __hash__ = object.__hash__

    __add__, __radd__, __iadd__ = _operators(elementwise.add)
    __sub__, __rsub__, __isub__ = _operators(elementwise.subtract)
    __mul__, __rmul__, __imul__ = _operators(elementwise.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _operators(elementwise.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _operators(elementwise.floor_divide)
    __mod__, __rmod__, __imod__ = _operators(elementwise.remainder)
    __pow__, __rpow__, __ipow__ = _operators(elementwise.pow)
    __matmul__, __rmatmul__, __imatmul__ = _operators(linalg.matmul)
    __and__, __rand__, __iand__ = _operators(elementwise.bitwise_and)
    __or__, __ror__, __ior__ = _operators(elementwise.bitwise_or)
    __xor__, __rxor__, __ixor__ = _operators(elementwise.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = _operators(elementwise.bitwise_left_shift)
    __rshift__, __rrshift__, __irshift__ = _operators(elementwise.bitwise_right_shift)
    __eq__ = _operators(elementwise.equal)[0]
    __ne__ = _operators(elementwise.not_equal)[0]
    __lt__ = _operators(elementwise.less)[0]
    __le__ = _operators(elementwise.less_equal)[0]
    __gt__ = _operators(elementwise.greater)[0]
    __ge__ = _operators(elementwise.greater_equal)[0]
    __neg__, __pos__, __abs__ = elementwise.negative, elementwise.positive, elementwise.abs
    __invert__ = elementwise.bitwise_invert
    __round__ = elementwise.round

    # Methods: functions of the array namespace with the Tensor as the first operand

    abs, exp, log, sqrt, square = (
        elementwise.abs,
        elementwise.exp,
        elementwise.log,
        elementwise.sqrt,
        elementwise.square,
    )
    sin, cos, tanh = elementwise.sin, elementwise.cos, elementwise.tanh
    clip, round, sign = elementwise.clip, elementwise.round, elementwise.sign
    sum, mean, prod, var, std = reductions.sum, reductions.mean, reductions.prod, reductions.var, reductions.std
    max, min, argmax, argmin = reductions.max, reductions.min, reductions.argmax, reductions.argmin
    any, all, logsumexp = reductions.any, reductions.all, reductions.logsumexp
    softmax, log_softmax = reductions.softmax, reductions.log_softmax
    cumsum, cumprod = numpy_functions[np.cumsum], numpy_functions[np.cumprod]
    swapaxes, squeeze, astype = shaping.swapaxes, shaping.squeeze, shaping.astype
    flatten, ravel = shaping.flatten, numpy_functions[np.ravel]
    take, argsort = indexing.take, sorting.argsort
    dot, trace, diagonal = linalg.dot, linalg.trace, linalg.diagonal

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape, given as a tuple or as separate numbers."""
        return shaping.reshape(self, shape[0] if len(shape) == 1 else shape)

    def repeat(self, repeats: Any, *more: Any, axis: int | None = None) -> "Tensor":
        """Each element, one after another, repeated along an axis, or in the flattened array.

        Raises
        ------
        ValueError
            If the axis is given without its name, as PyTorch means something else by that.
        """
        if more:
            raise tensors.ambiguous_repeat((repeats, *more))
        return shaping.repeat(self, repeats, axis=axis)

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order (reversed if none is given), as in NumPy."""
        if axes == (0, 1) and self.ndim == 2:
            tensors.warn_of_transpose()
        if len(axes) == 2 != self.ndim:
            raise tensors.no_exchange(self.array.shape, axes)
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return numpy_functions[np.transpose](self, order)


class _Elsewhere:
    """A name that other libraries' arrays have: to look it up raises AttributeError, and says what to write here."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        raise other_names.of_other_tensors(self.name)


# Not by `__getattr__`: in a class that has one, Python 3.11 looks up every attribute the slow way.
for _name in other_names.OF_OTHER_TENSORS.keys() - vars(Tensor).keys():
    setattr(Tensor, _name, _Elsewhere(_name))

_getitem: Primitive = indexing.getitem.primitive  # type: ignore[attr-defined]
set_result_type(Tensor)


def _without_history(x: Any, dtype: Any) -> Any:
    """A copy, as an operation of a program."""
    with no_grad():
        return x.astype(np.result_type(x.array) if dtype is None else dtype)  # which may be a number of Python


def _rebuilt(cls: type[Tensor], value: Array, requires_grad: bool, name: str | None, grad: Array = None) -> Tensor:
    made = cls.__new__(cls)
    made.array, made.node = value, None
    if requires_grad:
        made.requires_grad_(name=name)
        made.grad = grad
    return made

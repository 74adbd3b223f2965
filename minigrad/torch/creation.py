"""New Tensors, and random numbers, with PyTorch's arguments and its default dtype."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import unwrap
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.tensor import TYPES, Tensor, adopted, constructed, get_default_dtype, lengths, made, require_cpu

Shape = tuple[int, ...]


def _finished(value: Any, dtype: Any, requires_grad: bool, device: Any) -> Any:
    require_cpu(device)
    new = adopted(np.asarray(value, dtype or get_default_dtype()))
    return new.requires_grad_() if requires_grad else new


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A Tensor of numbers, lists of them, or arrays, copied; floats of Python have the default dtype."""
    require_cpu(device)
    return made(data, dtype, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """A Tensor of the data, in their memory if they are an array."""
    require_cpu(device)
    new = adopted(data) if isinstance(data, mg.Tensor | np.ndarray) else tensor(data)
    return new if dtype is None else new.to(dtype)


def from_numpy(array: np.ndarray) -> Any:
    """A Tensor in the memory of an array."""
    return adopted(array)


def _of_shape(make: Callable[[Shape, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of a shape, and one of a Tensor that has it."""

    def of_shape(
        *shape: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        size: Any = None,
        generator: Any = None,
    ) -> Any:
        with _using(generator):
            of = lengths(shape) if size is None else tuple(size)
            return _finished(make(of, dtype or get_default_dtype()), dtype, requires_grad, device)

    def like(x: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        return _finished(make(tuple(x.shape), dtype or x.dtype), dtype or x.dtype, requires_grad, device)

    return of_shape, like


class Generator(np.random.Generator):
    """Random numbers of their own, by their seed: one of NumPy's generators, as the package takes them."""

    def __init__(self, device: Any = "cpu") -> None:
        require_cpu(device)
        super().__init__(np.random.PCG64(0))

    def manual_seed(self, seed: int) -> "Generator":
        """Begin with this seed."""
        self.bit_generator.state = np.random.PCG64(seed).state
        return self

    def __reduce__(self) -> Any:
        return _restored, (self.bit_generator.state,)


def _restored(state: Any) -> Generator:
    """A generator that goes on from a state."""
    new = Generator()
    new.bit_generator.state = state
    return new


def _using(generator: np.random.Generator | None) -> Any:
    return mg.random.using(mg.random.generator(generator))


def _uniform(shape: Shape, dtype: Any) -> Any:
    # A double just below 1 would be rounded to 1.
    return mg.random.drawn("random", shape, dtype=np.dtype(dtype if np.dtype(dtype).itemsize > 2 else np.float32))


zeros, zeros_like = _of_shape(np.zeros)
ones, ones_like = _of_shape(np.ones)
empty, empty_like = _of_shape(np.zeros)
rand, rand_like = _of_shape(_uniform)
randn, randn_like = _of_shape(lambda shape, dtype: mg.random.drawn("standard_normal", shape))


def full(size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A Tensor of one number everywhere."""
    value = unwrap(fill_value)
    kind = np.result_type(value).kind
    return _finished(
        np.full(tuple(size) if isinstance(size, Sequence) else size, value),
        dtype or (None if kind == "f" else np.result_type(value)),
        requires_grad,
        device,
    )


def full_like(x: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """One of the shape of another."""
    return full(x.shape, fill_value, dtype or x.dtype, device, requires_grad)


def arange(*limits: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Numbers in equal steps: integers of integers."""
    whole = all(isinstance(x, int | np.integer) for x in map(unwrap, limits))
    return _finished(np.arange(*map(unwrap, limits)), dtype or (np.int64 if whole else None), requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """So many numbers from one to another, both included."""
    return _finished(np.linspace(unwrap(start), unwrap(end), steps), dtype, requires_grad, device)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """The powers of a base by such numbers."""
    return _finished(np.logspace(start, end, steps, base=base), dtype, requires_grad, device)


def eye(n: int, m: int | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """The identity."""
    return _finished(np.eye(n, m), dtype, requires_grad, device)


def randint(
    low: int, high: Any = None, size: Any = None, dtype: Any = np.int64, device: Any = None, generator: Any = None
) -> Any:
    """Whole numbers below `high`; a single limit is the upper one."""
    if size is None:
        low, high, size = 0, low, high
    with _using(generator):
        return _finished(mg.random.drawn("integers", low, high, tuple(size)), dtype, False, device)


def randperm(n: int, generator: Any = None, dtype: Any = np.int64, device: Any = None) -> Any:
    """The numbers below `n` in a random order."""
    with _using(generator):
        return _finished(mg.random.drawn("permutation", n), dtype, False, device)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, generator: Any = None) -> Any:
    """Normal random numbers."""
    shape = np.broadcast_shapes(np.shape(unwrap(mean)), np.shape(unwrap(std))) if size is None else tuple(size)
    return mean + std * randn(*shape, generator=generator) if shape else mean + std * randn(1, generator=generator)[0]


def bernoulli(p: Any, generator: Any = None) -> Any:
    """1 with this probability, and otherwise 0."""
    return (rand(*p.shape, generator=generator) < p).to(p.dtype)


def multinomial(p: Any, num_samples: int, replacement: bool = False, generator: Any = None) -> Any:
    """Places in rows, drawn with these weights."""
    rows = np.atleast_2d(unwrap(p)).astype(float)
    with _using(generator):
        if replacement:
            edges = np.cumsum(rows / rows.sum(axis=1, keepdims=True), axis=1)
            u = mg.random.drawn("random", (len(rows), num_samples))
            drawn = (u[:, :, None] >= edges[:, None, :-1]).sum(axis=2)
        else:  # the order of exponential waiting times
            with np.errstate(divide="ignore"):
                waiting = mg.random.drawn("standard_exponential", rows.shape) / rows
            drawn = np.argsort(waiting, axis=1)[:, :num_samples]
    return adopted(drawn if np.ndim(unwrap(p)) > 1 else drawn[0])


def manual_seed(seed: int) -> Generator:
    """Seed the package's random numbers."""
    mg.manual_seed(seed)
    return Generator().manual_seed(seed)


def _new(make: Callable[..., Any]) -> Callable[..., Any]:
    """The method that makes a Tensor of the same dtype."""
    return lambda self, *args, **how: make(*args, **{"dtype": self.dtype, **how})


def _normal_(self: Any, mean: Any = 0.0, std: Any = 1.0, generator: Any = None) -> Any:
    return self.written(normal(mean, std, self.shape, generator))


def _uniform_(self: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    return self.written(a + (b - a) * rand(*self.shape, generator=generator))


def _bernoulli_(self: Any, p: Any = 0.5, generator: Any = None) -> Any:
    return self.written(rand(*self.shape, generator=generator) < p)


def _exponential_(self: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    with _using(generator):
        return self.written(mg.random.drawn("standard_exponential", self.shape) / lambd)


def _random_(self: Any, *limits: Any, generator: Any = None) -> Any:
    # Whole numbers that the dtype can tell from each other, if there is no limit.
    is_float = self.dtype.kind == "f"
    most = 2 ** (np.finfo(self.dtype).nmant + 1) if is_float else 2 if self.dtype == bool else np.iinfo(self.dtype).max
    low, high = limits if len(limits) == 2 else (0, limits[0] if limits else most)
    with _using(generator):
        return self.written(mg.random.drawn("integers", low, high, self.shape).astype(self.dtype))


_methods: dict[str, Any] = {
    "normal_": _normal_, "uniform_": _uniform_, "bernoulli_": _bernoulli_, "exponential_": _exponential_,
    "random_": _random_, "multinomial": multinomial,
    "new_zeros": _new(zeros), "new_ones": _new(ones), "new_empty": _new(empty), "new_full": _new(full),
    "new_tensor": _new(tensor),
}  # fmt: skip
for _name, _method in _methods.items():
    setattr(Tensor, _name, _method)
FUNCTIONS |= {
    f.__name__: f
    for f in (
        tensor, as_tensor, from_numpy, full, full_like, arange, linspace, logspace, eye, randint, randperm, normal,
        bernoulli, multinomial,
        manual_seed,
    )
}  # fmt: skip


class _Typed(type):
    """A class of Tensors of one dtype, as ``torch.LongTensor``: it makes them, and tells them from others."""

    dtype: np.dtype[Any]

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        require_cpu(device)
        return adopted(constructed(data, cls.dtype))

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype == cls.dtype


_others: dict[str, Any] = {
    "zeros": zeros, "ones": ones, "empty": empty, "rand": rand, "randn": randn, "zeros_like": zeros_like,
    "ones_like": ones_like,
    "empty_like": empty_like, "rand_like": rand_like, "randn_like": randn_like, "Generator": Generator,
    "asarray": as_tensor,
}  # fmt: skip
FUNCTIONS |= _others
FUNCTIONS |= {name: _Typed(name, (), {"dtype": np.dtype(dtype)}) for dtype, name in TYPES.items()}

"""Rows of a table looked up by integers."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Array, Handle, primitive, traced, unwrap
from minigrad.creation import zeros
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.errors.modules import indices_not_integers, no_such_row
from minigrad.nn import init
from minigrad.nn.layer import constant, operand, write_to
from minigrad.nn.module import Module, Parameter
from minigrad.ops import elementwise, indexing
from minigrad.ops.arguments import checked, unrecorded
from minigrad.ops.indexing import getitem
from minigrad.options import one_of, whole_number
from minigrad.tensor import Tensor
from minigrad.writes import note_write


@primitive(lambda g, y, x, factor: g * factor, None, kind="elementwise", cost=0)
def scale_gradient(x: Array, factor: Array, /) -> Array:
    """`x` itself, but its gradient is multiplied by `factor`, which must broadcast to the shape of `x`."""
    return np.array(x)


def _checked(name: str, input: Any, weight: Any) -> tuple[Any, Any]:
    rows, table = constant(input, "indices"), operand(weight)
    if rows.dtype.kind not in "iu":
        if rows.size:
            raise indices_not_integers(name, rows.dtype)
        rows = rows.astype(np.intp)
    if table.ndim != 2:
        raise ShapeError(f"{name}: a weight has the axes (num_embeddings, embedding_dim), not shape {table.shape}")
    count = table.shape[0]

    def test(rows: np.ndarray) -> None:
        bad = (rows < 0) | (rows >= count)
        if bad.any():
            raise no_such_row(name, rows[bad][0], count)

    return checked(rows, test), table


def _row(name: str, padding_idx: int | None, count: int) -> int | None:
    """The padding row, counted from the front."""
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise ArgumentError(f"{name}: padding_idx {padding_idx} is not one of {count} rows")
    return padding_idx % count


def _shorten(table: Any, rows: Any, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, the rows in use whose norm is too large."""
    if traced(table):
        write_to(table, _shortened(unrecorded(table), rows, max_norm=max_norm, norm_type=norm_type))
    elif _shorten_rows(unwrap(table), rows, max_norm, norm_type) and isinstance(table, Handle) and table.node:
        note_write(table.node, user_place())


@primitive(cost=1)
def _shortened(table: Array, rows: Array, /, *, max_norm: float, norm_type: float) -> Array:
    """A table whose rows in use are at most so long."""
    shorter = table.copy()
    _shorten_rows(shorter, rows, max_norm, norm_type)
    return shorter


def _shorten_rows(memory: np.ndarray, rows: np.ndarray, max_norm: float, norm_type: float) -> bool:
    """Whether there were any that had to be scaled down."""
    used = np.unique(rows)
    norms = np.linalg.norm(memory[used], norm_type, axis=1)
    long = norms > max_norm
    memory[used[long]] *= (max_norm / (norms[long] + 1e-7))[:, None]
    return bool(long.any())


@primitive(cost=1)
def _frequencies(rows: Array, /) -> Array:
    """How often the number at each place occurs at all."""
    return np.bincount(rows.ravel(), minlength=1)[rows]


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Any:
    """Rows of a table.

    Parameters
    ----------
    input : integer array of any shape
        Numbers of rows, from 0.
    weight : array of shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        This row gets no gradient.
    max_norm : float, optional
        Rows in use whose norm is larger are scaled down first, in place.
    norm_type : float
        The order of that norm.
    scale_grad_by_freq : bool
        Divide the gradient of each row by how often it is used in `input`.

    Returns
    -------
    array of shape ``(*input.shape, embedding_dim)``

    Raises
    ------
    IndexingError
        If a number is negative or not below num_embeddings.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.embedding(np.array([2, 0]), np.array([[1.0], [2.0], [3.0]]))
    array([[3.],
           [1.]])
    """
    rows, table = _checked("embedding", input, weight)
    padding = _row("embedding", padding_idx, table.shape[0])
    if max_norm is not None:
        _shorten(table, rows, max_norm, norm_type)
    found = indexing.take(table, rows, axis=0)
    if padding is None and not scale_grad_by_freq:
        return found
    factor = np.ones(rows.shape) if padding is None else (rows != padding).astype(float)
    if scale_grad_by_freq:
        factor = factor / _frequencies(rows)
    return scale_gradient(found, factor[..., None].astype(table.dtype))


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Integers as rows of zeros with a single 1.

    Parameters
    ----------
    tensor : integer array of any shape
    num_classes : int
        The length of the rows; by default one more than the largest integer.

    Returns
    -------
    integer array of shape ``(*tensor.shape, num_classes)``, a Tensor if a Tensor was given

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.one_hot(np.array([2, 0]))
    array([[0, 0, 1],
           [1, 0, 0]])
    """
    numbers = constant(tensor, "classes")
    if numbers.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: classes must be integers, not {numbers.dtype}")
    if num_classes == -1:
        if not numbers.size:
            raise ArgumentError("one_hot: of no numbers the number of classes is not known: give num_classes")
        num_classes = int(numbers.max()) + 1

    def test(numbers: np.ndarray) -> None:
        if numbers.size and (numbers.min() < 0 or numbers.max() >= num_classes):
            raise IndexingError(
                f"one_hot: numbers must be from 0 to {num_classes - 1}, not {numbers.min()} to {numbers.max()}"
            )

    rows = (checked(numbers, test)[..., None] == np.arange(num_classes)).astype(np.int64)
    return Tensor(rows) if isinstance(tensor, Handle) else rows


BagMode = Literal["sum", "mean", "max"]


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: BagMode = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Sums, means or maxima of several rows of a table.

    Parameters
    ----------
    input : integer array of shape (B, L), or (N,) with `offsets`
        Numbers of rows: of each bag, or of all bags one after another.
    weight : array of shape (num_embeddings, embedding_dim)
    offsets : integer array of shape (B,), optional
        Where each bag starts. An empty bag gives zeros.
    max_norm, norm_type, scale_grad_by_freq
        As in `embedding`.
    mode : {"mean", "sum", "max"}
    per_sample_weights : array of the shape of `input`, optional
        What each row is multiplied with; for "sum" only.
    include_last_offset : bool
        Whether the last offset is where the last bag ends.
    padding_idx : int, optional
        This row does not count.

    Returns
    -------
    array of shape (B, embedding_dim)

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.embedding_bag(np.array([[0, 2], [1, 1]]), np.array([[1.0], [2.0], [3.0]]), mode="sum")
    array([[4.],
           [4.]])
    """
    rows, table = _checked("embedding_bag", input, weight)
    one_of(mode, "embedding_bag: mode", ("sum", "mean", "max"))
    if per_sample_weights is not None and mode != "sum":
        raise ArgumentError(f"embedding_bag: per_sample_weights go with mode='sum', not with {mode!r}")
    bags, count = _bags(rows, offsets, include_last_offset)
    weights = None if per_sample_weights is None else operand(per_sample_weights).reshape(-1)
    if weights is not None and weights.shape != bags.shape:
        raise ShapeError(f"embedding_bag: {weights.shape[0]} per_sample_weights do not fit {len(bags)} indices")
    rows = rows.ravel()
    if max_norm is not None:
        _shorten(table, rows, max_norm, norm_type)
    factor = 1 / _frequencies(rows) if scale_grad_by_freq else None
    padding = _row("embedding_bag", padding_idx, table.shape[0])
    if padding is not None:
        counted = rows != padding
        rows, bags = getitem(rows, counted), getitem(bags, counted)
        weights = None if weights is None else getitem(weights, counted)
        factor = None if factor is None else getitem(factor, counted)
    found = indexing.take(table, rows, axis=0)
    if factor is not None:
        found = scale_gradient(found, factor[:, None].astype(table.dtype))
    if mode == "max":
        return _bag_maxima(found, bags, count)
    if weights is not None:
        found = found * weights.reshape(-1, 1)
    sums = indexing.scatter(found, index=(bags,), shape=(count, table.shape[1]))
    if mode == "sum":
        return sums
    return sums / np.maximum(np.bincount(bags, minlength=count), 1)[:, None].astype(table.dtype)


def _bags(rows: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """For each row the number of its bag, and how many bags there are."""
    if rows.ndim == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: indices in rows need no offsets")
        return np.repeat(np.arange(len(rows)), rows.shape[1]), len(rows)
    if rows.ndim != 1 or offsets is None:
        raise ShapeError(f"embedding_bag: indices have shape (B, L), or (N,) with offsets, not {rows.shape}")
    starts = constant(offsets, "offsets")
    if not starts.size and not len(rows) and not include_last_offset:
        return rows, 0
    bags = _bag_numbers(starts, count=len(rows), include_last=include_last_offset)
    return bags, starts.shape[0] - include_last_offset


@primitive(cost=1)
def _bag_numbers(starts: Array, /, *, count: int, include_last: bool) -> Array:
    """For each of so many rows the number of its bag."""
    if starts.ndim != 1 or not starts.size or starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] > count:
        raise ArgumentError(f"embedding_bag: offsets must rise from 0 to at most {count}, not {starts.tolist()}")
    ends = starts[1:] if include_last else np.append(starts[1:], count)
    lengths = ends - starts[: len(ends)]
    return np.repeat(np.arange(len(lengths)), lengths)


def _bag_maxima(found: Any, bags: Any, count: int) -> Any:
    if not found.shape[0]:
        return indexing.scatter(found, index=(bags,), shape=(count, found.shape[1]))
    places = _places_of_maxima(unrecorded(found), bags, count=count)
    maxima = indexing.getitem(found, index=(places, np.arange(found.shape[1])))
    filled = np.bincount(bags, minlength=count)[:count, None] > 0
    return elementwise.where(filled, maxima, 0.0)


@primitive(cost=1)
def _places_of_maxima(value: Array, bags: Array, /, *, count: int) -> Array:
    """For each bag, and each column, the row of the largest element; 0 for a bag without rows."""
    places = np.zeros((count, value.shape[1]), np.intp)
    starts = np.flatnonzero(np.diff(bags, prepend=-1))
    ends = np.append(starts[1:], len(bags))[: len(starts)]
    for start, end in zip(starts, ends, strict=True):
        places[bags[start]] = start + value[start:end].argmax(axis=0)
    return places


# Layers


class _Table(Module):
    """A table of rows, and what is done to it."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_embeddings = whole_number(num_embeddings, f"{name}: num_embeddings", least=0)
        self.embedding_dim = whole_number(embedding_dim, f"{name}: embedding_dim", least=0)
        self.padding_idx = _row(name, padding_idx, num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.weight = Parameter(zeros((num_embeddings, embedding_dim), dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw normal random numbers; the padding row becomes 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> Self:
        """A layer with a given table, which is not trained unless `freeze` is False."""
        table = constant(embeddings, "embeddings")
        if table.ndim != 2:
            raise ShapeError(f"from_pretrained: the table has two axes, not shape {table.shape}")
        make: Any = cls
        made: Self = make(*table.shape, dtype=table.dtype, **options)
        made.weight.array[...] = table
        made.weight.requires_grad_(not freeze)
        return made

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Embedding(_Table):
    """`functional.embedding` with a table of its own.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    padding_idx, max_norm, norm_type, scale_grad_by_freq
        As for `functional.embedding`; the padding row is 0 at the start.
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.Embedding(10, 3)(np.array([[1, 2], [4, 5]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, dtype)

    def forward(self, input: Any) -> Any:
        """Look up rows."""
        return embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)


class EmbeddingBag(_Table):
    """`functional.embedding_bag` with a table of its own.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    max_norm, norm_type, scale_grad_by_freq, mode, include_last_offset, padding_idx
        As for `functional.embedding_bag`.
    dtype : dtype, optional

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.EmbeddingBag(10, 3, mode="sum")(np.array([1, 2, 4, 5]), np.array([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: BagMode = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, dtype)
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """Look up rows and reduce them."""
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

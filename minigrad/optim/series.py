"""Measurements of a long run in little memory: rows that are merged two by two whenever they have become too many."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.core import unwrap
from minigrad.errors import StateDictError


class Rows(NamedTuple):
    """What is kept of measurements.  Each row stands for one of them, or for several that followed one another.

    Attributes
    ----------
    first, last : ndarray of int, shape (rows,)
        The steps of the first and of the last measurement in a row.
    centre : ndarray of float64, shape (rows, columns)
        The mean of what was finite, or the root of the mean of its squares.
    low, high : ndarray of float64, shape (rows, columns)
        Its smallest and its largest.
    known, bad : ndarray of int, shape (rows, columns)
        How many numbers were finite, and how many were NaN or infinite.
    """

    first: np.ndarray
    last: np.ndarray
    centre: np.ndarray
    low: np.ndarray
    high: np.ndarray
    known: np.ndarray
    bad: np.ndarray


_KINDS = "iifffii"  # of their dtypes


class Series:
    """Measurements of one or several columns, in at most `limit` rows.

    At first a row holds one measurement.  When there is no room for another row, neighbours are merged, and from then
    on a row holds twice as many: `stride`.  Nothing is dropped, so a single high value, or a single NaN, is still seen
    among a million.

    Parameters
    ----------
    limit : int
        At least 2.
    columns : int
    squares : bool
        Whether rows are merged by the root of the mean of squares, as norms are: then the norm of several columns
        together can still be computed from theirs.

    Examples
    --------
    >>> series = Series(limit=2)
    >>> for step, loss in enumerate([4.0, 2.0, 1.0, float("nan")]):
    ...     series.add(step, loss)
    >>> series.rows.centre.ravel().tolist(), series.rows.high.ravel().tolist(), series.rows.bad.ravel().tolist()
    ([3.0, 1.0], [4.0, 1.0], [0, 1])
    """

    def __init__(self, limit: int, columns: int = 1, *, squares: bool = False) -> None:
        self.limit, self.columns, self.squares = limit, columns, squares
        self.stride, self.filled = 1, 0  # measurements in a row, and in the last one
        self.length = 0
        self._store = self._room(limit, columns)

    @staticmethod
    def _room(length: int, columns: int) -> Rows:
        whole, real = np.int64, np.float64  # pages of zeros take no memory before they are written to
        across = (length, columns)
        return Rows(
            np.zeros(length, whole), np.zeros(length, whole),
            np.zeros(across, real), np.zeros(across, real), np.zeros(across, real),
            np.zeros(across, np.int32), np.zeros(across, np.int32),
        )  # fmt: skip

    @classmethod
    def of(cls, steps: Any, values: Any, limit: int, there: Any = None, squares: bool = False) -> Self:
        """The same as adding all measurements one by one; `values` has a row for each step."""
        table = np.asarray(values, np.float64)
        table = table[:, None] if table.ndim == 1 else table
        present = np.ones(table.shape, bool) if there is None else np.asarray(there).reshape(table.shape)
        made = cls(limit, table.shape[1], squares=squares)
        rows = _single(np.asarray(steps, np.int64), table, present)
        made.filled = min(1, len(steps))
        while len(rows.first) > limit:
            rows = made._merged(rows)
        made.length = len(rows.first)
        made._put(slice(0, made.length), rows)
        return made

    @property
    def rows(self) -> Rows:
        """What is kept, as views."""
        return Rows(*(part[: self.length] for part in self._store))

    def widen(self, columns: int) -> None:
        """Add columns, of which nothing has been measured yet."""
        old, self._store = self._store, self._room(self.limit, columns)
        for new, known in zip(self._store, old, strict=True):
            (new if known.ndim == 1 else new[:, : self.columns])[:] = known
        self.columns = columns

    def add(self, step: int, values: Any, there: Any = True) -> None:
        """Add a measurement: a number for each column, where it is `there`."""
        if self.filled < self.stride and self.length:
            new = _single(step, np.asarray(values, np.float64), there)
            here = self.length - 1
            self._put(here, self._joined(Rows(*[part[here] for part in self._store]), new))
            self.filled += 1
            return
        if self.length == self.limit:
            merged = self._merged(self.rows)
            self.length = len(merged.first)
            self._put(slice(0, self.length), merged)
            self.add(step, values, there)
            return
        self._put(self.length, _single(step, np.asarray(values, np.float64), there))
        self.length, self.filled = self.length + 1, 1

    def _put(self, where: int | slice, rows: Rows) -> None:
        for store, new in zip(self._store, rows, strict=True):
            store[where] = new

    def _merged(self, rows: Rows) -> Rows:
        """All rows merged two by two; a last one without a neighbour waits for more."""
        self.filled += 0 if len(rows.first) % 2 else self.stride
        self.stride *= 2
        return self._halved(rows)

    def _halved(self, rows: Rows) -> Rows:
        pairs, alone = divmod(len(rows.first), 2)
        joined = self._joined(
            Rows(*(part[0 : 2 * pairs : 2] for part in rows)), Rows(*(part[1 : 2 * pairs : 2] for part in rows))
        )
        if not alone:
            return joined
        return Rows(*(np.concatenate([part, last[-1:]]) for part, last in zip(joined, rows, strict=True)))

    def thinned(self, limit: int) -> Rows:
        """The rows, merged until there are no more than so many; the series itself keeps all that it has."""
        rows = self.rows
        while len(rows.first) > limit:
            rows = self._halved(rows)
        return rows

    def _joined(self, a: Rows, b: Rows) -> Rows:
        known = a.known + b.known
        part = b.known / np.maximum(known, 1)
        if self.squares:
            centre = np.hypot(a.centre * np.sqrt(1 - part), b.centre * np.sqrt(part))
        else:
            centre = a.centre * (1 - part) + b.centre * part
        # Where nothing is known of the one, the other's numbers are those of both.
        low = np.minimum(np.where(a.known, a.low, b.low), np.where(b.known, b.low, a.low))
        high = np.maximum(np.where(a.known, a.high, b.high), np.where(b.known, b.high, a.high))
        return Rows(a.first, b.last, centre, low, high, known, a.bad + b.bad)

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that is kept."""
        own = {name: getattr(self, name) for name in ("limit", "columns", "squares", "stride", "filled")}
        return {**own, **{name: part.copy() for name, part in self.rows._asdict().items()}}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The series that `state_dict` described.

        Raises
        ------
        StateDictError
            If the parts do not fit each other.
        """
        try:
            limit, columns, stride, filled = (int(state[name]) for name in ("limit", "columns", "stride", "filled"))
            parts = Rows(*(np.asarray(unwrap(state[name])) for name in Rows._fields))
            squares, length = bool(state["squares"]), len(parts.first)
            shapes = [part.shape for part in parts] == [(length,)] * 2 + [(length, columns)] * 5
            kinds = all(part.dtype.kind == kind for part, kind in zip(parts, _KINDS, strict=True))
            fits = 2 <= limit <= 10**6 and columns >= 0 and length <= limit and 0 <= filled <= stride
            if not (shapes and kinds and fits):
                raise ValueError(f"{length} rows of {columns} columns, where at most {limit} are kept")
        except (KeyError, TypeError, ValueError) as error:
            raise StateDictError(f"this is no state of a series of a History: {error!r}") from error
        made = cls(limit, columns, squares=squares)
        made.stride, made.filled, made.length = stride, filled, length
        made._put(slice(0, length), parts)
        return made


def _single(steps: Any, values: np.ndarray, there: Any) -> Rows:
    """A measurement as a row, or several as rows of one each."""
    finite = np.isfinite(values) & there
    kept = np.where(finite, values, 0.0)
    return Rows(steps, steps, kept, kept, kept, finite.astype(np.int32), (there & ~finite).astype(np.int32))

"""Arrays that note what is computed of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiling.noted_functions import FUNCTIONS
from minigrad.compiling.noted_ufuncs import accumulated, contracted, mapped, reduced
from minigrad.compiling.picking import chosen, picked, put, taken
from minigrad.compiling.recorded_numbers import RecordedNumber
from minigrad.compiling.recording import BOOL, DOUBLE, Recorder, Refused, Shown, current, plain, root_of_memory
from minigrad.compiling.statements import Assume
from minigrad.operands import PLAIN


class Recorded(Shown):
    """An array that notes what is computed of it."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            if ufunc.signature is not None:
                return contracted(ufunc, inputs, options)
            return mapped(ufunc, inputs, options)
        if method == "reduce":
            return reduced(ufunc, *inputs, **options)
        if method == "accumulate":
            return accumulated(ufunc, *inputs, **options)
        if method == "at" and ufunc is np.add and len(inputs) == 3:
            picked(inputs[0], inputs[1], inputs[2], adds=True)
            return None
        raise Refused(f"{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = FUNCTIONS.get(function)
        if found is not None:
            return found(*args, **kwargs)
        return function._implementation(*args, **kwargs)

    # Values

    def __bool__(self) -> bool:
        if self.size != 1:
            raise Refused("the truth of an array")
        recorder, x = current.get(), self.reshape(())
        truth = recorder.truth(plain(self))
        out = recorder.view(recorder.made(np.array(truth)))
        recorder.map("not_equal", self.dtype, out, [x, 0])
        recorder.note(Assume(out, truth))
        return truth

    def item(self, *args: Any) -> Any:
        """The number, of an array of one in double precision."""
        if args or self.size != 1 or self.dtype.char not in "fd":
            raise Refused("item")
        recorder = current.get()
        out = recorder.number(float(plain(self).reshape(())))
        recorder.map("copy", DOUBLE, out.place, [self.reshape(())])
        return out

    def __float__(self) -> float:
        raise Refused("the number of an array")

    __int__ = __index__ = __complex__ = __float__  # type: ignore[assignment]

    def tolist(self) -> Any:
        """Refused."""
        raise Refused("the numbers of an array")

    def tobytes(self, order: Any = "C") -> bytes:
        """Refused."""
        raise Refused("the bytes of an array")

    # Elements

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, np.ndarray | list) for k in keys):
            return picked(self, keys)
        if not any(k is Ellipsis for k in keys):
            keys = (*keys, Ellipsis)  # so that it is a view even of one element
        return super().__getitem__(keys)

    def __setitem__(self, key: Any, value: Any) -> None:
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) == 1 and isinstance(keys[0], np.ndarray) and keys[0].dtype == BOOL:
            if np.ndim(value) or keys[0].shape != self.shape:
                raise Refused("elements by a mask")
            put(self, chosen(keys[0], value, self))
        elif any(isinstance(k, np.ndarray | list) for k in keys):
            picked(self, keys, value)
        else:
            put(self[key], value)

    # Copies

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """The array in another shape: a view if that is possible."""
        if order != "C":
            raise Refused("an order")
        made = plain(self).reshape(*shape)
        if copy is not True and (not made.size or root_of_memory(made) is root_of_memory(self)):
            return made.view(Recorded)
        recorder = current.get()
        out = recorder.made(np.array(made))
        as_before = recorder.view(out)._replace(shape=self.shape, strides=np.empty(self.shape, self.dtype).strides)
        recorder.map("copy", self.dtype, as_before, [self])
        return out

    def ravel(self, order: Any = "C") -> Any:
        """In one dimension."""
        return self.reshape(-1, order=order)

    def flatten(self, order: Any = "C") -> Any:
        """In one dimension, as a copy."""
        return self.reshape(-1, order=order, copy=True)

    def copy(self, order: Any = "C") -> Any:
        """A copy."""
        return current.get().duplicate(self, plain(self).copy(order))

    def astype(self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True, copy: Any = True) -> Any:
        """Converted."""
        made = plain(self).astype(dtype, order=order, casting=casting, copy=copy)
        if root_of_memory(made) is root_of_memory(self):
            return self
        return current.get().duplicate(self, made)

    def fill(self, value: Any) -> None:
        """Make all elements one value."""
        put(self, value)

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """Elements by their places."""
        return taken(self, indices, axis, out, mode)

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Refused."""
        raise Refused("sort")

    partition = itemset = resize = byteswap = setfield = sort  # type: ignore[assignment]


PLAIN.add(Recorded)  # operations of the package take it


def new_recorder(answers: Sequence[bool] | None = None) -> Recorder:
    """A recorder of such arrays, and of numbers."""
    return Recorder(Recorded, RecordedNumber, answers)

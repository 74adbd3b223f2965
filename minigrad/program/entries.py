"""The state and the options of an optimizer, as a function sees them that is traced."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import Handle, name_of
from minigrad.program.equations import OfEntry


class Entries:
    """A dict as the traced function sees it: arrays and numbers in it are Tensors, and the rest is as it was."""

    def __init__(self, interpreter: Any, mapping: MutableMapping[str, Any], fixed: Sequence[str] = ()) -> None:
        self._interpreter, self._mapping, self._fixed = interpreter, mapping, fixed

    def __getitem__(self, key: str) -> Any:
        known = self._interpreter.known_entries.get((id(self._mapping), key))
        if known is not None:
            return known[1]
        value = self._mapping[key]
        if isinstance(value, tuple):
            return tuple([self._tensor(OfEntry(self._mapping, key, i), x) for i, x in enumerate(value)])
        made = self._tensor(OfEntry(self._mapping, key, None), value)
        if isinstance(made, Handle):
            self._interpreter.known_entries[id(self._mapping), key] = (OfEntry(self._mapping, key, None), made, value)
        return made

    def _tensor(self, source: OfEntry, value: Any) -> Any:
        is_number = type(value) in (int, float) and source.key not in self._fixed
        if not (is_number or isinstance(value, np.ndarray | np.generic)):
            self._interpreter.guard(str(source), *source.look)
            return value
        return self._interpreter.input(source, value)

    def get(self, key: str, default: Any = None) -> Any:
        """An entry, or else something."""
        return self[key] if key in self else default  # noqa: SIM401  # this is `get`

    def __contains__(self, key: str) -> bool:
        if (id(self._mapping), key) in self._interpreter.known_entries:
            return True
        self._interpreter.guard(f"whether an optimizer has {key!r}", "{1} in {0}", (self._mapping, key))
        return key in self._mapping

    def __len__(self) -> int:
        self._interpreter.guard("the number of entries of an optimizer's state", "len({0})", (self._mapping,))
        return len(self._mapping)

    def update(self, **entries: Any) -> None:
        """Set several entries."""
        for key, value in entries.items():
            self[key] = value

    def __setitem__(self, key: str, value: Any) -> None:
        tensor = value if isinstance(value, Handle) else name_of(value, None)
        _, _, before = self._interpreter.known_entries.get((id(self._mapping), key), (None, None, None))
        self._interpreter.known_entries[id(self._mapping), key] = (OfEntry(self._mapping, key, None), tensor, before)

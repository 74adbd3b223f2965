"""A progress bar: tqdm's if it is installed, else a line of text."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


class Progress(Iterable[Item]):
    """Goes through an iterable and shows on the standard error stream how far it has come.

    Parameters
    ----------
    items : iterable
    description : str
    total : int, optional
        How many items there are, if `items` has no length.

    Examples
    --------
    >>> import minigrad as mg
    >>> for epoch in (bar := mg.progress.Progress(range(3), "training")):
    ...     bar.note(f"loss {1 / (epoch + 1):.2f}")
    """

    def __init__(self, items: Iterable[Item], description: str = "", total: int | None = None) -> None:
        self.items = items
        self.description = description
        self.total = total if total is not None or not hasattr(items, "__len__") else len(items)  # type: ignore[arg-type]
        self._bar: Any = None
        self._text = ""

    def __iter__(self) -> Iterator[Item]:
        try:
            from tqdm import tqdm  # type: ignore[import-untyped]  # optional, so not at the top
        except ImportError:
            yield from self._plain()
            return
        self._bar = tqdm(self.items, desc=self.description, total=self.total, file=sys.stderr, leave=True)
        yield from self._bar

    def note(self, text: str) -> None:
        """Say something at the end of the line, from now on."""
        self._text = text
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def _plain(self) -> Iterator[Item]:
        shown = -1
        for i, item in enumerate(self.items):
            yield item
            percent = 100 * (i + 1) // self.total if self.total else i + 1
            if percent != shown and sys.stderr.isatty():
                shown = percent
                unit = "%" if self.total else ""
                sys.stderr.write(f"\r{self.description} {percent}{unit}  {self._text}")
        if sys.stderr.isatty():
            sys.stderr.write("\n")

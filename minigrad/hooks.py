"""What one gets for registering a hook: the means to remove it."""

from typing import Any, Self


class RemovableHandle:
    """A hook that was registered; call it, or its `remove`, or leave its ``with`` block, to remove the hook.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Tanh()
    >>> with layer.register_forward_hook(lambda module, args, output: print(output.item())):
    ...     y = layer(mg.tensor(0.0))
    0.0
    >>> y = layer(mg.tensor(0.0))
    """

    def __init__(self, table: dict[object, Any], hook: Any, first: bool = False) -> None:
        self._table, self._key = table, object()
        table[self._key] = hook
        if first:
            for key in [key for key in table if key is not self._key]:
                table[key] = table.pop(key)

    def remove(self) -> None:
        """Remove the hook; a second time there is nothing to do."""
        self._table.pop(self._key, None)

    __call__ = remove

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

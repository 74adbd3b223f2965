"""`torch.optim`: the package's optimizers and schedules, which have PyTorch's names."""

from collections import defaultdict
from collections.abc import Iterator, MutableMapping
from typing import Any

import minigrad.optim as ours
from minigrad.core import unwrap
from minigrad.optim import *  # noqa: F403  # all of them
from minigrad.torch.modules import module
from minigrad.torch.tensor import adopted

__all__ = [*ours.__all__]


class _Entries(MutableMapping[str, Any]):
    """What an optimizer keeps of a parameter: arrays, which are shown as Tensors in the same memory."""

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return adopted(self._held[name])

    def __setitem__(self, name: str, value: Any) -> None:
        self._held[name] = unwrap(value)

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return repr(dict(self))


class _State(defaultdict[Any, dict[str, Any]]):
    """The state of an optimizer; the package, which computes with arrays, reads it by `get`."""

    def __getitem__(self, parameter: Any) -> Any:
        return _Entries(super().__getitem__(parameter))


class Optimizer(ours.Optimizer):  # type: ignore[no-redef]  # in the place of the package's
    """An optimizer whose state is shown as Tensors of the dialect."""

    @property
    def state(self) -> Any:
        """What is kept of each parameter."""
        return self._state

    @state.setter
    def state(self, value: Any) -> None:
        self._state = _State(dict, value)

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state and the options."""
        return adopted(super().state_dict())


globals().update({
    name: type(name, (Optimizer, made), {"__module__": __name__, "__doc__": made.__doc__})
    for name, made in vars(ours).items()
    if isinstance(made, type) and issubclass(made, ours.Optimizer) and made is not ours.Optimizer
})  # fmt: skip
for _name in ("lr_scheduler", "swa_utils"):
    module(f"optim.{_name}", **vars(getattr(ours, _name)))


def __getattr__(name: str) -> Any:
    raise AttributeError(f"torch.optim.{name} does not exist in minigrad.torch: there are {', '.join(ours.__all__)}")

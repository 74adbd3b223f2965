"""A call of a module with hooks around it: before and after `forward`, and when gradients pass on the way back."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, is_grad_enabled, leaf, name_of, primitive
from minigrad.errors import DTypeError
from minigrad.settings import interpreter, now
from minigrad.tree import flatten


class Hooks:
    """The hooks of a module, each kind in the order of registration."""

    def __init__(self) -> None:
        self.before: dict[object, tuple[Callable[..., Any], bool]] = {}
        self.after: dict[object, tuple[Callable[..., Any], bool]] = {}
        self.backward: dict[object, Callable[..., Any]] = {}
        self.computed: set[str] = set()  # attributes that a hook computes anew before each call


def call_watched(module: Any, hooks: Hooks | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a module; a watcher of this thread is told when it is entered and left."""
    watcher, tracer = now().watcher, interpreter()
    if watcher is not None:
        watcher.entering(module)
    if tracer is not None:
        tracer.entering(module)
    try:
        return module.forward(*args, **kwargs) if hooks is None else call_with_hooks(module, hooks, args, kwargs)
    finally:
        if watcher is not None:
            watcher.leaving(module)


def call_with_hooks(module: Any, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a module, changed by its hooks."""
    for hook, with_kwargs in list(hooks.before.values()):
        if with_kwargs:
            answer = hook(module, args, kwargs)
            if answer is not None:
                if not (isinstance(answer, tuple) and len(answer) == 2):
                    raise DTypeError(
                        f"a forward pre-hook of {type(module).__name__} that takes kwargs answers with None or with a "
                        f"pair (args, kwargs), not with {answer!r}"
                    )
                args, kwargs = answer
        elif (answer := hook(module, args)) is not None:
            args = answer if isinstance(answer, tuple) else (answer,)
    watch = _Watch(module, list(hooks.backward.values())) if hooks.backward and is_grad_enabled() else None
    if watch is not None:
        args = watch.entering(args)
    result = module.forward(*args, **kwargs)
    for hook, with_kwargs in list(hooks.after.values()):
        answer = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        if answer is not None:
            result = answer
    return result if watch is None else watch.leaving(result)


@primitive(
    lambda g, y, x, gate: g,
    lambda g, y, x, gate: np.zeros_like(gate),
    kind="elementwise",
    cost=0,
    passes=(0,),
    trivial=True,
)
def through_gate(x: Array, gate: Array, /) -> Array:
    """`x` itself; the gate takes no part, but a backward pass that comes through here reaches it later."""
    return +x


class _Watch:
    """Gathers the gradients of a module's results and inputs, and shows them to the backward hooks.

    Inputs and results pass through an operation that changes nothing, so that what is seen are the gradients at the
    module's border and not those that other users of the same Tensors add.  Gradients of results come first.  When that
    of the last input has come, the hooks are called, and it is passed on as they answer.  That input may not be reached
    at all, if the module does not use it; then the hooks are called when the walk comes to the gate, which is older.
    """

    def __init__(self, module: Any, hooks: Sequence[Callable[..., Any]]) -> None:
        self.module, self.hooks = module, hooks
        self.given: list[Any] = []
        self.taken: list[Any] = []
        opening = np.zeros(())
        self.gate = name_of(opening, leaf(opening))
        self.gate.register_hook(self._late)

    def entering(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with a watch on those that require grad."""
        self.taken = [None] * len(args)
        watched = list(args)
        for i, x in enumerate(args):
            if isinstance(x, Handle) and x.node is not None:
                watched[i] = through_gate(x, self.gate)
        # The oldest node is reached last.
        first = next((x for x, old in zip(watched, args, strict=True) if x is not old), None)
        for i, (x, old) in enumerate(zip(watched, args, strict=True)):
            if x is not old:
                x.register_hook(self._keep(self.taken, i, last=x is first))
        self.has_inputs = first is not None
        return tuple(watched)

    def leaving(self, result: Any) -> Any:
        """The result, with a watch on all of its Tensors that require grad."""
        leaves, rebuild = flatten(result)
        self.given = [None] * len(leaves)
        watched = []
        for i, x in enumerate(leaves):
            if isinstance(x, Handle) and x.node is not None:
                x = through_gate(x, self.gate)
                x.register_hook(self._keep(self.given, i, last=not self.has_inputs and i == 0))
            watched.append(x)
        return rebuild(watched)

    def _keep(self, table: list[Any], place: int, last: bool) -> Callable[[Any], Any]:
        def keep(gradient: Any) -> Any:
            table[place] = gradient
            return self._show(place) if last else None

        return keep

    def _late(self, gradient: Any) -> None:
        if any(g is not None for g in (*self.taken, *self.given)):
            self._show(None)

    def _show(self, place: int | None) -> Any:
        """Call the hooks with what has come, and start anew; the gradient to be passed on at the place."""
        try:
            return self._answered(place)
        finally:
            self.taken[:], self.given[:] = [None] * len(self.taken), [None] * len(self.given)

    def _answered(self, place: int | None) -> Any:
        for hook in self.hooks:
            answer = hook(self.module, tuple(self.taken), tuple(self.given))
            if answer is None:
                continue
            answer = answer if isinstance(answer, tuple) else (answer,)
            if len(answer) != len(self.taken):
                raise DTypeError(
                    f"a backward hook of {type(self.module).__name__} answered with {len(answer)} gradients for "
                    f"{len(self.taken)} inputs"
                )
            if sum(g is not None for g in self.taken) > 1:
                raise DTypeError(
                    f"a backward hook of {type(self.module).__name__} can change the gradient of a single input only, "
                    "and this module has several"
                )
            self.taken[:] = answer
        return self.taken[place] if self.has_inputs and place is not None else None

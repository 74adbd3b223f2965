"""Watching a thread's operations: what they were, where in the program and in which module, and how long they took."""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, NamedTuple

from minigrad.core import Node, Switch, notes_of
from minigrad.diagnostics import Place, user_place
from minigrad.errors import DTypeError


class Watcher(Switch):
    """The base of what is told of every operation, backward pass and call of a module while its block is open."""

    setting = "watcher"

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Refuse to decorate: what is watched belongs to one block."""
        name = type(self).__name__
        raise DTypeError(f"graph.{name} is no decorator: write `with graph.{name}() as seen:` around the call")

    def computed(self, node: Node, begun: int) -> None:
        """Note a node that has just been made; its computation began at `begun`, in ns of `perf_counter_ns`."""

    def differentiating(self, node: Node | None) -> None:
        """Note the node whose derivative a backward pass computes next; None at the end of the pass."""

    def entering(self, module: Any) -> None:
        """Note that a module has been called."""

    def leaving(self, module: Any) -> None:
        """Note that a module has returned, or raised."""


class recording(Watcher):
    """Write every node that the thread makes on a list, in the order of creation.

    Also the nodes of operations that need no gradient, and those of a backward pass with
    ``create_graph=True``: the list is the program that ran.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(2.0)
    >>> with mg.graph.recording() as nodes:
    ...     y = mg.exp(x) + 1
    >>> [node.op.name for node in nodes]
    ['exp', 'add']
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def __enter__(self) -> list[Node]:
        self.value = self
        super().__enter__()
        return self.nodes

    def computed(self, node: Node, begun: int) -> None:
        """Note a node that has just been made."""
        self.nodes.append(node)


class Call(NamedTuple):
    """One call of a module, as a step on the way from the outermost module to an operation.

    Attributes
    ----------
    name : str
        The module's path in the module that called it, as ``"blocks.0"``.  One that is not a part of it, or is called
        from outside of any, has none; the second one of its class there is ``"Linear 2"``.
    kind : str
        Its class.
    number : int
        How many times it had been called before from there.
    """

    name: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.name or self.kind}" + (f" (call {self.number + 1})" if self.number else "")


class Trace:
    """What a watcher remembers of a node.

    Attributes
    ----------
    place : Place or None
        The line of the user's program.
    calls : tuple of Call
        The modules that were being called, the outermost first.
    level : int
        0 in the forward pass, 1 in the derivative of that, 2 in the derivative of this, ...
    of : int or None
        The `seq` of the node whose derivative this node is a part of.
    forward, backward : int
        Nanoseconds that the computation of the value, and of the derivative, took.
    """

    __slots__ = ("backward", "calls", "forward", "level", "of", "place")

    def __init__(self, place: Place | None, calls: tuple[Call, ...], level: int, of: int | None, forward: int) -> None:
        self.place, self.calls, self.level, self.of, self.forward = place, calls, level, of, forward
        self.backward = 0


def trace_of(node: Node) -> Trace | None:
    """What a watcher remembers of the node, if one was there when it was made."""
    return None if node.notes is None else node.notes.trace


class Tracer(Watcher):
    """Leaves a `Trace` in every node that is made in its block."""

    def __init__(self) -> None:
        self.value = self
        self._calls: list[tuple[Any, tuple[Call, ...]]] = []
        self._names: dict[int, dict[int, str]] = {}  # of the parts of each module, by identity
        self._unnamed: dict[tuple[tuple[Call, ...], str], dict[int, int]] = {}
        self._counts: dict[tuple[tuple[Call, ...], int], int] = {}
        self._modules: dict[int, Any] = {}  # by identity; kept alive, so that no other gets the identity of one
        self._differentiated: Node | None = None
        self._since = 0

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        if not self.is_open:
            self._calls.clear()
            self._modules.clear()
            self._differentiated = None

    def computed(self, node: Node, begun: int) -> None:
        """Note a node that has just been made."""
        took = perf_counter_ns() - begun
        calls = self._calls[-1][1] if self._calls else ()
        level, of = 0, None
        if (source := self._differentiated) is not None:
            above = trace_of(source)
            level, of = 1, source.seq
            if above is not None:
                level, calls = above.level + 1, above.calls
        notes_of(node).trace = Trace(user_place(), calls, level, of, took)

    def differentiating(self, node: Node | None) -> None:
        """Note the node whose derivative a backward pass computes next."""
        now = perf_counter_ns()
        if self._differentiated is not None and (trace := trace_of(self._differentiated)) is not None:
            trace.backward += now - self._since
        self._differentiated, self._since = node, now

    def entering(self, module: Any) -> None:
        """Note that a module has been called."""
        self._modules[id(module)] = module
        outer, calls = self._calls[-1] if self._calls else (None, ())
        kind = type(module).__name__
        name = "" if outer is None else self._name(outer, module)
        if not name:  # of modules that are no parts of what calls them, the first of a class has no name
            alike = self._unnamed.setdefault((calls, kind), {})
            place = alike.setdefault(id(module), len(alike) + 1)
            name = f"{kind} {place}" if place > 1 else ""
        number = self._counts.get((calls, id(module)), 0)
        self._counts[calls, id(module)] = number + 1
        self._calls.append((module, (*calls, Call(name, kind, number))))

    def leaving(self, module: Any) -> None:
        """Note that a module has returned, or raised."""
        self._calls.pop()
        if not self._calls:  # a training loop calls a model again and again
            self._counts = {key: count for key, count in self._counts.items() if not key[0]}
            self._unnamed = {key: places for key, places in self._unnamed.items() if not key[0]}

    def _name(self, outer: Any, module: Any) -> str:
        """The path of a module in the one that calls it, if it is a part of it."""
        if id(outer) not in self._names:
            self._names[id(outer)] = {id(part): path for path, part in outer.named_modules()}
        return self._names[id(outer)].get(id(module), "")

"""Module and Parameter: models as trees of parts that own parameters."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import errors
from minigrad.core import no_grad, unwrap
from minigrad.creation import get_default_dtype
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError, DTypeError
from minigrad.errors.modules import (
    mode_assigned,
    no_forward,
    no_init,
    no_such_path,
    not_a_state,
    note_module,
    state_does_not_fit,
    warn_of_hidden_parts,
)
from minigrad.errors.other_names import no_attribute
from minigrad.hooks import RemovableHandle
from minigrad.nn.module_hooks import Hooks, call_watched
from minigrad.operands import numeric
from minigrad.settings import only_outside, unusual
from minigrad.tensor import Tensor
from minigrad.writes import note_write


class Parameter(Tensor):
    """A Tensor that a `Module` registers as one of its parameters when it is assigned to an attribute.

    Parameters
    ----------
    data : array_like
        Copied; Python floats become the default dtype.
    requires_grad : bool

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Parameter([1.0, 2.0])
    Parameter([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike, requires_grad: bool = True, name: str | None = None) -> None:
        is_array = isinstance(data, (Tensor, np.ndarray, np.generic))
        super().__init__(data, None if is_array else get_default_dtype(), requires_grad, name)

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("tensor")


def _hidden(value: Any) -> str:
    """What is in an attribute that a module will not find there: Modules, Parameters, or a Tensor that is none."""
    if value.__class__ is Tensor:
        return "Tensor" if value.node is not None and value.node.op is None else ""
    if value.__class__ in (list, dict) and value:
        parts = value.values() if isinstance(value, dict) else value
        for kind in (Parameter, Module):
            if all(isinstance(part, kind) for part in parts):
                return kind.__name__
    return ""


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` found missing in the state_dict, and what it found there in excess.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Linear(2, 1).load_state_dict({"weight": mg.zeros((1, 2)), "extra": 0.0}, strict=False)
    IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['extra'])
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of all models and layers.

    A subclass makes its parts in ``__init__`` and computes in ``forward``.  Parameters, buffers (Tensors given to
    `register_buffer`) and other Modules that are assigned to attributes are found by `parameters`, `state_dict` and
    the like, in the order of assignment and under PyTorch's names.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Scale(mg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = mg.nn.Parameter(2.0)
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(mg.tensor(3.0)).item()
    6.0
    >>> dict(Scale().named_parameters())
    {'factor': Parameter(2., name='factor', requires_grad=True)}
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, "Module | None"]
    _transient: set[str]
    _hooks: Hooks | None

    def __init__(self) -> None:
        # Not by assignment, which looks into these.
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _transient=set(), _hooks=None)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result: for subclasses to define."""
        raise no_forward(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result, with its hooks."""
        try:
            if self._hooks is None and not unusual:
                return self.forward(*args, **kwargs)
            return call_watched(self, self._hooks, args, kwargs)
        except errors.MinigradError as error:
            note_module(error, self)
            raise

    # Attributes: parts live in their own dicts, not in __dict__

    def _tables(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        try:
            return self.__dict__["_parameters"], self.__dict__["_buffers"], self.__dict__["_modules"]
        except KeyError:
            raise no_init(self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        parameters, buffers, modules = self._tables()
        if isinstance(value, Parameter):
            table = parameters
        elif isinstance(value, Module):
            table = modules
        else:
            holder = next((t for t in (parameters, modules, buffers) if name in t), None)
            if holder is None:
                if value.__class__ is bool and name in ("train", "eval"):
                    raise mode_assigned(self, name, value)
                if kind := _hidden(value):
                    warn_of_hidden_parts(self, name, value, kind)
                self.__dict__[name] = value
                return
            if value is not None and not (holder is buffers and isinstance(value, Tensor)):
                kind = {id(parameters): "Parameter", id(modules): "Module"}.get(id(holder), "Tensor")
                raise TypeError(
                    f"{name!r} of {type(self).__name__} must be a {kind} or None, not {type(value).__name__}"
                )
            table = holder
        for other in (self.__dict__, parameters, buffers, modules):
            if other is not table:
                other.pop(name, None)
        if isinstance(value, Parameter) and value.requires_grad and value.name is None:
            value.name = name
        table[name] = value

    def __getattr__(self, name: str) -> Any:
        for table in self._tables():
            if name in table:
                return table[name]
        raise no_attribute(self, name)

    def __delattr__(self, name: str) -> None:
        for table in (*self._tables(), self.__dict__):
            if name in table:
                del table[name]
                self._transient.discard(name)
                return
        raise no_attribute(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for table in self._tables() for name in table)})

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter, or the place of one that is absent (None)."""
        self._claim(name, parameter, Parameter, self._parameters)
        self._parameters[name] = None
        setattr(self, name, parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a Tensor that belongs to the state but is not trained; one that is not persistent is not saved."""
        self._claim(name, tensor, Tensor, self._buffers)
        self._buffers[name] = tensor
        self._transient.discard(name)
        if not persistent:
            self._transient.add(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a part under a name that need not be an identifier."""
        self._claim(name, module, Module, self._modules)
        self._modules[name] = module

    def _claim(self, name: str, part: Any, kind: type, table: dict[str, Any]) -> None:
        """Check that a part may have this name."""
        if part is not None and not isinstance(part, kind):
            raise DTypeError(f"{name!r} of {type(self).__name__} must be a {kind.__name__} or None, not {part!r}")
        if not name or "." in name:
            raise ArgumentError(f"a part's name must not be empty or have a dot, as {name!r}: paths are made with dots")
        if name not in table and hasattr(self, name):
            raise ArgumentError(f"{type(self).__name__} has another attribute {name!r} already")

    # Hooks

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles are made of; what is computed anew before each call goes with its value alone."""
        computed = () if self._hooks is None else self._hooks.computed
        return self.__dict__ | {name: self.__dict__[name].detach() for name in computed}

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each call of `forward`.

        What it returns, unless None, takes the place of the arguments. With `with_kwargs` it is called as
        ``hook(module, args, kwargs)`` and returns both. With `prepend` it comes before the other hooks.

        Examples
        --------
        >>> import minigrad as mg
        >>> layer = mg.nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: 2 * args[0])
        >>> layer(mg.tensor(3.0)).item()
        6.0
        >>> handle.remove()
        """
        return RemovableHandle(self._own_hooks().before, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each call of `forward`.

        What it returns, unless None, takes the place of the output. With `with_kwargs` it is called as
        ``hook(module, args, kwargs, output)``. With `prepend` it comes before the other hooks.

        Examples
        --------
        >>> import minigrad as mg
        >>> layer = mg.nn.Linear(3, 2)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(output.shape))
        >>> y = layer(mg.zeros((5, 3)))
        (5, 2)
        >>> handle.remove()
        """
        return RemovableHandle(self._own_hooks().after, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when a backward pass has gone through the module.

        Both are tuples: a gradient for each positional argument and for each Tensor of the output, None where there is
        none. What the hook returns, unless None, takes the place of the gradient of the module's single input.

        Examples
        --------
        >>> import minigrad as mg
        >>> layer = mg.nn.Tanh()
        >>> handle = layer.register_full_backward_hook(lambda module, entered, left: print(left[0].tolist()))
        >>> layer(mg.tensor([0.0], requires_grad=True)).sum().backward()
        [1.0]
        >>> handle.remove()
        """
        return RemovableHandle(self._own_hooks().backward, hook, prepend)

    # Walks over the tree of parts

    def named_modules(
        self, prefix: str = "", memo: set[int] | None = None, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """The module itself and all parts below it with their paths; one that has several only under the first."""
        memo = set() if memo is None else memo
        if remove_duplicate and id(self) in memo:
            return
        memo.add(id(self))
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(f"{prefix}.{name}" if prefix else name, memo, remove_duplicate)

    def modules(self) -> Iterator["Module"]:
        """The module itself and all parts below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The direct parts with their names, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator["Module"]:
        """The direct parts."""
        return (module for _, module in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix, remove_duplicate=once) if recurse else [(prefix, self)]:
            for name, tensor in getattr(module, kind).items():
                if tensor is not None and not (once and id(tensor) in seen):
                    seen.add(id(tensor))
                    yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths; one that has several paths (tied) only under the first.

        Without `recurse` only those of the module itself.
        """
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their paths."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def apply(self, function: Callable[["Module"], Any]) -> Self:
        """Call a function with every part, from the innermost to this module itself."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def get_submodule(self, target: str) -> "Module":
        """The part with this path; the module itself for an empty one."""
        part: Any = self
        for name in target.split(".") if target else ():
            part = part._modules.get(name)
            if part is None:
                raise AttributeError(f"{type(self).__name__} has no part {target!r}")
        return part

    def _get(self, target: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), kind).get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {kind.strip('_').rstrip('s')} {target!r}")
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with this path."""
        return self._get(target, "_parameters")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with this path."""
        return self._get(target, "_buffers")

    # State

    def train(self, mode: bool = True) -> Self:
        """Make this module and its parts behave as in training (dropout drops, statistics are updated)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Make this module and its parts behave as in use."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train all parameters, or freeze them."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(requires_grad, name=name.rpartition(".")[2] if requires_grad else None)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                unset = set_to_none or parameter.grad is None
                parameter.grad = None if unset else np.zeros_like(parameter.array)

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert all floating-point parameters and buffers, in place; gradients are dropped."""
        if np.dtype(dtype).kind != "f":
            raise DTypeError(
                f"the parameters of a module are floating-point numbers, and {np.dtype(dtype)} is no such dtype"
            )
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.dtype.kind == "f" and tensor.dtype != dtype:
                required, name = tensor.requires_grad, tensor.name
                tensor.node, tensor.array = None, tensor.array.astype(dtype)
                tensor.requires_grad_(required, name=name)
        return self

    def float(self) -> Self:
        """Convert to float32, as `astype` does."""
        return self.astype(np.float32)

    def double(self) -> Self:
        """Convert to float64, as `astype` does."""
        return self.astype(np.float64)

    def _state(self) -> dict[str, Tensor]:
        """All parameters and persistent buffers under all of their names."""
        state = dict(self.named_parameters(remove_duplicate=False))
        modules = self.named_modules(remove_duplicate=False)
        skipped = {f"{path}.{name}" if path else name for path, module in modules for name in module._transient}
        buffers = {k: v for k, v in self.named_buffers(remove_duplicate=False) if k not in skipped}
        return {**state, **buffers}

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of all parameters and persistent buffers, by their paths.

        Examples
        --------
        >>> import minigrad as mg
        >>> list(mg.nn.Linear(2, 1).state_dict())
        ['weight', 'bias']
        """
        with no_grad():
            return {name: Tensor(tensor) for name, tensor in self._state().items()}

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike], strict: bool = True) -> IncompatibleKeys:
        """Write the values of a state_dict into the parameters and buffers.

        Parameters
        ----------
        state_dict : mapping of str to array_like
            As `state_dict` gives it, or PyTorch's for the same model (as arrays).
        strict : bool
            Whether the keys must be exactly those of this module.

        Returns
        -------
        IncompatibleKeys
            The missing and the unexpected keys.

        Raises
        ------
        StateDictError
            If keys (under `strict`) or shapes do not fit. It names all of them, and nothing has been changed.
        """
        only_outside("load_state_dict")
        if not isinstance(state_dict, Mapping):
            raise not_a_state(self, state_dict)
        own = self._state()
        given = {k: numeric(unwrap(v), f"{k!r}") for k, v in state_dict.items()}
        # Of tied parameters, which are one under several names, one is enough.
        known = {id(own[name]) for name in given if name in own}
        missing = [name for name, tensor in own.items() if name not in given and id(tensor) not in known]
        unexpected = [name for name in given if name not in own]
        shapes = {name: (given[name].shape, t.shape) for name, t in own.items() if name in given}
        problems = [f"{name}: shape {new}, the model has {old}" for name, (new, old) in shapes.items() if new != old]
        problems += [
            f"{name}: dtype {given[name].dtype}, the model has {own[name].dtype}"
            for name in shapes
            if not np.can_cast(given[name].dtype, own[name].dtype, "same_kind")
        ]
        if problems or (strict and (missing or unexpected)):
            raise state_does_not_fit(self, missing if strict else (), unexpected if strict else (), problems)
        for name in shapes:
            tensor = own[name]
            if tensor.node is None:
                tensor.array = given[name].astype(tensor.dtype)
            else:
                tensor.array[...] = given[name]
                note_write(tensor.node, user_place())
        return IncompatibleKeys(missing, unexpected)

    # Display

    def extra_repr(self) -> str:
        """What the module's line says in parentheses."""
        return ""

    def __repr__(self) -> str:
        parts = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if not parts:
            return f"{type(self).__name__}({self.extra_repr()})"
        return "\n  ".join([f"{type(self).__name__}({self.extra_repr()}", *parts]) + "\n)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        return display.mimebundle(
            lambda: display.model_text(self), include, exclude, html=lambda: display.model_view(self)
        )


def functional_call(module: Module, parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a module with other Tensors in the place of its parameters and buffers.

    Parameters
    ----------
    module : Module
    parameters : mapping of str to Tensor
        By their paths, as in ``dict(module.named_parameters())``; what is not named stays the module's own. What is
        tied to a parameter that is named is replaced with it.
    *args, **kwargs
        The arguments of the module.

    Raises
    ------
    StateDictError
        If a path is none of the module's.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(2, 1)
    >>> loss = lambda p: nn.functional_call(layer, p, mg.ones(2)).sum()
    >>> mg.grad(loss)({"weight": mg.zeros((1, 2)), "bias": mg.zeros(1)})
    {'weight': tensor([[1., 1.]]), 'bias': tensor([1.])}
    """
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for owner, part in module.named_modules(remove_duplicate=False):
        tables: tuple[dict[str, Any], ...] = part._parameters, part._buffers
        for table in tables:
            places |= {f"{owner}.{name}" if owner else name: (table, name) for name in table}
    for path in parameters:
        if path not in places:
            raise no_such_path(module, path, places)
    own = {path: table[name] for path, (table, name) in places.items()}
    given = {id(own[path]): tensor for path, tensor in parameters.items() if own[path] is not None}
    swaps = {path: given[id(tensor)] for path, tensor in own.items() if id(tensor) in given} | dict(parameters)
    try:
        for path, tensor in swaps.items():
            table, name = places[path]
            table[name] = tensor
        return module(*args, **kwargs)
    finally:
        for path in swaps:
            table, name = places[path]
            table[name] = own[path]

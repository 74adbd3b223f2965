"""Several modules of one form as one, whose parameters are stacked: to train them all at once."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.errors.mapping import not_stackable
from minigrad.mapping.mapper import Several, vmap
from minigrad.nn.module import Module, Parameter, functional_call
from minigrad.tensor import Tensor


class StackedModules(Module, Several):
    """Modules of one form, whose parameters and buffers are stacked along a new first axis: see `stack_modules`.

    Attributes
    ----------
    members : Module
        Has the stacked parameters in the places of its own.
    """

    def __init__(self, modules: Sequence[Module]) -> None:
        super().__init__()
        self.members = copy.deepcopy(modules[0])
        stacked: dict[int, Any] = {}
        for place, table, name in _tables(self.members):
            own = table[name]
            if own is None:
                continue
            if id(own) not in stacked:
                values = np.stack([_at(module, place, name).array for module in modules])
                is_parameter = isinstance(own, Parameter)
                stacked[id(own)] = Parameter(values, own.requires_grad) if is_parameter else Tensor(values)
            table[name] = stacked[id(own)]

    def tensors(self) -> dict[str, Any]:
        """The stacked parameters and buffers by their paths."""
        return dict(self.members.named_parameters()) | dict(self.members.named_buffers())

    def member(self, tensors: Mapping[str, Any]) -> Callable[..., Any]:
        """One of the modules, with these parameters and buffers, to be called."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return functional_call(self.members, tensors, *args, **kwargs)

        return call

    def forward(self, *inputs: Any, in_axes: Any = None) -> Any:
        """What each member makes of the inputs, stacked; `in_axes` says which inputs have a row for each member.

        Random numbers, as those of dropout, are other ones for each member.
        """
        axes = in_axes if isinstance(in_axes, tuple | list) else [in_axes] * len(inputs)
        return vmap(lambda member, *xs: member(*xs), (0, *axes), random="different")(self, *inputs)


def stack_modules(modules: Sequence[Module]) -> StackedModules:
    """Make one module of several that differ in their parameters alone, to train and to call them all at once.

    Parameters
    ----------
    modules : sequence of Module
        Of one class and form.

    Returns
    -------
    StackedModules
        A module whose parameters are those of the modules, stacked along a new first axis, and copied.  A call gives
        the result of each member, stacked; where inputs have a row for each member, `in_axes=0` says so.  As an
        argument of a function made by `vmap`, with axis 0, it can be called inside as one member.

    Raises
    ------
    ArgumentError
        If there is no module, or they are not of one form.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nets = [nn.Linear(3, 2) for _ in range(5)]
    >>> ensemble = mg.stack_modules(nets)
    >>> ensemble(mg.ones((4, 3))).shape
    (5, 4, 2)
    >>> losses = mg.vmap(lambda net, x: (net(x) ** 2).mean(), in_axes=(0, None))(ensemble, mg.ones((4, 3)))
    >>> losses.shape
    (5,)
    """
    modules = list(modules)
    if not modules:
        raise not_stackable("there is no module", "in the list")
    forms = [[(place, name, _form(table[name])) for place, table, name in _tables(module)] for module in modules]
    for i, (module, form) in enumerate(zip(modules, forms, strict=True)):
        if type(module) is not type(modules[0]) or repr(module) != repr(modules[0]):
            raise not_stackable(f"module {i} is {module!r:.60}", f"and module 0 is {modules[0]!r:.60}")
        if [part.training for part in module.modules()] != [part.training for part in modules[0].modules()]:
            raise not_stackable(f"module {i}", "is in training mode where module 0 is not, or the other way round")
        for one, other in zip(form, forms[0], strict=False):
            if one != other:
                raise not_stackable(f"module {i}", f"has {one[1]} of the form {one[2]}, and module 0 {other[2]}")
        if len(form) != len(forms[0]):
            raise not_stackable(f"module {i}", f"has {len(form)} parameters and buffers, and module 0 {len(forms[0])}")
    return StackedModules(modules)


def _tables(module: Module) -> list[tuple[str, dict[str, Any], str]]:
    """Where each parameter and buffer is: the path of its module, the table there, and its name."""
    parts = module.named_modules(remove_duplicate=False)
    tables = [(place, table) for place, part in parts for table in (part._parameters, part._buffers)]
    return [(place, table, name) for place, table in tables for name in table]


def _at(module: Module, place: str, name: str) -> Any:
    """The parameter or buffer by this name of a part of a module."""
    part = dict(module.named_modules(remove_duplicate=False))[place]
    return part._parameters.get(name, part._buffers.get(name))


def _form(x: Any) -> Any:
    return None if x is None else (x.shape, str(x.dtype), "requires grad" if x.requires_grad else "constant")

"""Modules that are made of others, and lists of parameters."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from minigrad.errors import DTypeError, IndexingError
from minigrad.errors.modules import not_a_module
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor


class _ListOfModules(Module):
    """Modules under the names "0", "1", ... in this order."""

    def _checked(self, modules: Iterable[Module], start: int = 0) -> list[Module]:
        made = list(modules)
        for i, module in enumerate(made, start):
            if not isinstance(module, Module):
                raise not_a_module(type(self).__name__, i, module)
        return made

    def _put(self, modules: Iterable[Module]) -> None:
        made = self._checked(modules)
        self._modules.clear()
        self._modules.update((str(i), module) for i, module in enumerate(made))

    def _name(self, index: int) -> str:
        names = list(self._modules)
        if not -len(names) <= index < len(names):
            raise IndexingError(f"{type(self).__name__} has {len(names)} modules, and no number {index}")
        return names[index]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]  # a list holds no None

    def __contains__(self, module: Any) -> bool:
        return any(module is own for own in self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(list(self._modules.items())[index])
        return self._modules[self._name(index)]

    def _part(self, items: list[tuple[str, Any]]) -> Module:
        """What a slice gives."""
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        self._modules[self._name(index)] = self._checked([module], index)[0]

    def __delitem__(self, index: "int | slice") -> None:
        rest = list(self)
        del rest[index]
        self._put(rest)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        return self.extend([module])

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in self._checked(modules, len(self)):
            # Names that were given stay, and may be numbers.
            name = next(name for i in itertools.count(len(self)) if (name := str(i)) not in self._modules)
            self._modules[name] = module
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before another."""
        own = list(self)
        own.insert(index, module)
        self._put(own)
        return self


class Sequential(_ListOfModules):
    """Modules applied one after another.

    Parameters
    ----------
    *modules : Module, or one dict of str to Module
        Their names are "0", "1", ..., or the keys of the dict.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> model(mg.ones((1, 4))).shape
    (1, 2)
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named: Any = {str(i): module for i, module in enumerate(modules)}
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = modules[0]
        self._checked(named.values())
        for name, module in named.items():
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Apply the modules in order."""
        for module in self:
            input = module(input)
        return input

    def _part(self, items: list[tuple[str, Any]]) -> Module:
        return Sequential(dict(items))


class ModuleList(_ListOfModules):
    """A list of modules that are found by `parameters` and the like; it cannot be called.

    Examples
    --------
    >>> import minigrad as mg
    >>> layers = mg.nn.ModuleList(mg.nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), [name for name, _ in layers[:1].named_parameters()]
    (3, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self._put(modules or ())

    def _part(self, items: list[tuple[str, Any]]) -> Module:
        return ModuleList([module for _, module in items])

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def pop(self, index: int = -1) -> Module:
        """Take a module out."""
        module: Module = self[index]
        del self[index]
        return module


class ModuleDict(Module):
    """A dict of modules that are found by `parameters` and the like; it cannot be called.

    Examples
    --------
    >>> import minigrad as mg
    >>> choices = mg.nn.ModuleDict({"tanh": mg.nn.Tanh(), "relu": mg.nn.ReLU()})
    >>> choices["relu"](mg.tensor(-1.0)).item()
    0.0
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]  # type: ignore[return-value]  # a dict holds no None

    def __setitem__(self, key: str, module: Module) -> None:
        if module is None:
            raise DTypeError(f"{key!r} of {type(self).__name__} must be a Module, not None")
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or replace those of the same names."""
        for key, module in dict(modules).items():
            self[key] = module

    def pop(self, key: str) -> Module:
        """Take a module out."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()


def _as_parameter(value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    return Parameter(value.detach() if isinstance(value, Tensor) else value)


class ParameterList(Module):
    """A list of parameters; Tensors and arrays become Parameters.

    Examples
    --------
    >>> import minigrad as mg
    >>> weights = mg.nn.ParameterList([mg.ones(2), mg.ones(3)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def _name(self, index: int) -> str:
        names = list(self._parameters)
        if not -len(names) <= index < len(names):
            raise IndexingError(f"{type(self).__name__} has {len(names)} parameters, and no number {index}")
        return names[index]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return self._parameters[self._name(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._parameters[self._name(index)] = _as_parameter(value)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())  # type: ignore[arg-type]  # a list holds no None

    def append(self, value: Any) -> Self:
        """Add a parameter at the end."""
        name, parameter = str(len(self)), _as_parameter(value)
        if parameter.requires_grad and parameter.name is None:
            parameter.name = name
        self._parameters[name] = parameter
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(str(parameter.shape) for parameter in self)


class ParameterDict(Module):
    """A dict of parameters; Tensors and arrays become Parameters.

    Examples
    --------
    >>> import minigrad as mg
    >>> weights = mg.nn.ParameterDict({"left": mg.ones(2)})
    >>> weights["left"].shape
    (2,)
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]  # type: ignore[return-value]  # a dict holds no None

    def __setitem__(self, key: str, value: Any) -> None:
        self.register_parameter(key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._parameters[key]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and parameters."""
        return self._parameters.items()

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add parameters, or replace those of the same names."""
        for key, value in dict(parameters).items():
            self[key] = value

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(f"{name}: {parameter.shape}" for name, parameter in self.items())

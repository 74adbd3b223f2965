"""A program as a NumPy file: straight-line code that runs by itself.

What is no function of NumPy's is written out above: the Python source of an operation, and of the functions that it
calls, with names that do not meet those of others.
"""

import ast
import base64
import builtins
import inspect
import keyword
import pickle
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core import Handle, Primitive
from minigrad.ops import indexing
from minigrad.ops.arguments import _checked as checked
from minigrad.ops.describing import _numpy_call as numpy_call
from minigrad.ops.describing import filled
from minigrad.program.numbers import SMALL, arithmetic

if TYPE_CHECKING:
    from minigrad.program.equations import Equation, Program

HELPERS = 20  # so many functions may be written out for the sake of one operation


def source_of(program: "Program") -> str:
    """The text of the file; if something in the program cannot be written down, its equations."""
    try:
        return _File(program).text()
    except _NoSourceError as error:
        return "\n".join([f"# no file can hold {error.args[0]!r}", *map(repr, program.equations)])


class _File:
    """What is gathered on the way through a program."""

    def __init__(self, program: "Program") -> None:
        self.program, self.helpers = program, Library()
        self.names: dict[Any, str] = {}
        taken = {"np", "rng", "main"}
        for x, source in program.inputs.items():
            self.names[x] = _unused(_identifier(str(source)), taken)
        for x in program.constants:
            self.names[x] = _unused(f"c{x.number}", taken)

    def text(self) -> str:
        program = self.program
        body = [self._line(equation) for equation in program.equations]
        draws = any(equation.operation.primitive.facts.kind == "draw" for equation in program.equations)
        constants = [f"{self.names[x]} = {self.helpers.array(c.array)}" for x, c in program.constants.items()]
        inputs = [self.names[x] for x in program.inputs]
        results = ", ".join(self._name(x) for x in program.outputs)
        written = [(str(target), "None" if x is None else self._name(x)) for target, x in program.effects]
        changes = ", ".join(f"({target!r}, {name})" for target, name in written)
        name = _identifier(program.name)
        examples = [f"{self.names[x]}={self._example(x)}" for x in program.inputs]
        comments = [f"    # {self.names[x]}: {_described(x)}, {source}" for x, source in program.inputs.items()]
        lines = [
            f'"""{program.name}, as a program of {len(program.equations)} equations."""',
            "",
            *self.helpers.imports(),
            *self.helpers.definitions,
            *(["", "", *self.helpers.aliases] if self.helpers.aliases else []),
            *(["", "", *constants] if constants else []),
            "",
            "",
            f"def {name}({', '.join([*inputs, *(['rng'] if draws else [])])}):",
            *comments,
            *body,
            f"    return ({results}{',' if results else ''}), [{changes}]",
            "",
            "",
            'if __name__ == "__main__":',
            f"    print({name}({', '.join([*examples, *(['rng=np.random.default_rng()'] if draws else [])])}))",
        ]
        return "\n".join(lines) + "\n"

    def _name(self, x: Any) -> str:
        return self.names.get(x, f"v{x.number}")

    def _atom(self, x: Any) -> str:
        return self._name(x) if hasattr(x, "number") else self.helpers.literal(x.value)

    def _line(self, equation: "Equation") -> str:
        operands = [self._atom(x) for x in equation.inputs]
        outputs = ", ".join(self._name(x) for x in equation.outputs)
        where = "" if equation.place is None else f"  {equation.place}"
        return f"    {outputs} = {self._call(equation, operands)}  # {_described(equation.outputs[0])}{where}"

    def _call(self, equation: "Equation", operands: list[str]) -> str:
        made, params = equation.operation.primitive, equation.operation.params
        if made is arithmetic.primitive:  # type: ignore[attr-defined]
            return f" {params['sign']} ".join(operands)
        if made is checked.primitive:  # type: ignore[attr-defined]
            return operands[0]
        if made is indexing.getitem.primitive:  # type: ignore[attr-defined]
            return f"{operands[0]}[{_index(params['index'], operands[1:])}]"
        if made.facts.kind == "draw":
            return self._written(f"rng.{params['method']}", params["arguments"], params["options"])
        if made.printed is not None:
            return self._printed(made, params, operands)
        if made is numpy_call.primitive:  # type: ignore[attr-defined]
            args, kwargs = filled(params["form"], map(_Written, operands))
            part = "" if params["part"] is None else f"[{params['part']}]"
            return self._written(self.helpers.literal(params["function"]), args, kwargs) + part
        return self._written(self._function(made), map(_Written, operands), params)

    def _printed(self, made: Primitive, params: Mapping[str, Any], operands: Sequence[str]) -> str:
        """A call of an operation that says itself how, as a loop does, whose bodies become functions."""
        assert made.printed is not None
        function, args = made.printed([_Written(x) for x in operands], **params)
        given = [self._body(x) if hasattr(x, "equations") else x for x in args]
        return self._written(self.helpers.name_of(function, len(self.helpers._names) + HELPERS), given, {})

    def _body(self, body: Any) -> "_Written":
        """The name of the function that a body becomes."""
        lines = [self._line(equation) for equation in body.equations]
        name = self.helpers.taking("body")
        results = ", ".join(map(self._name, body.outputs))
        head = f"def {name}({', '.join(map(self._name, body.inputs))}):"
        self.helpers.definitions += ["", "", "\n".join([head, *lines, f"    return [{results}]"])]
        return _Written(name)

    def _written(self, function: str, args: Iterable[Any], kwargs: Mapping[str, Any]) -> str:
        """A call as Python writes it."""
        given = [*map(self.helpers.literal, args)]
        given += [f"{key}={self.helpers.literal(x)}" for key, x in kwargs.items()]
        return f"{function}({', '.join(given)})"

    def _function(self, made: Primitive) -> str:
        if isinstance(made.numpy, np.ufunc):
            return f"np.{made.numpy.__name__}"
        return self.helpers.of_primitive(made)

    def _example(self, x: Any) -> str:
        value = self.program.examples.get(x)
        if value is not None:
            return self.helpers.literal(value)
        kind = "ones" if getattr(x.dtype, "kind", "f") in "fc" else "zeros"
        return f"np.{kind}({x.shape}, {np.dtype(x.dtype).name!r})"


class Library:
    """Functions of Python that a file needs beside NumPy's, as definitions that stand in it."""

    def __init__(self) -> None:
        self.definitions: list[str] = []
        self._modules: dict[str, str] = {"np": "numpy"}
        self.aliases: list[str] = []
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []  # what has given its identity
        self._taken = {"np", "rng", *dir(builtins)}

    def imports(self) -> list[str]:
        """The lines at the top."""
        pairs = sorted(self._modules.items())
        return [f"import {full}" if name == full else f"import {full} as {name}" for name, full in pairs]

    def use(self, name: str, full: str) -> str:
        """Import a module under a name."""
        self._modules[name] = full
        self._taken.add(name)
        return name

    def taking(self, name: str) -> str:
        """A name that nothing else has."""
        return _unused(name, self._taken)

    def of_primitive(self, made: Primitive) -> str:
        """The name of an operation's function: it is written out, or imported if it needs much of the package."""
        before = len(self.definitions), len(self.aliases), dict(self._names), set(self._taken), dict(self._modules)
        try:
            return self.name_of(made.forward, len(self._names) + HELPERS)
        except (OSError, TypeError, SyntaxError, _NoSourceError):
            count, aliases, self._names, self._taken, self._modules = before
            del self.definitions[count:], self.aliases[aliases:]
        forward = made.forward
        self._kept.append(forward)
        self._names[id(forward)] = name = _unused(made.name, self._taken)
        self.definitions += ["", "", f"from {forward.__module__} import {forward.__name__} as {name}"]
        return name

    def name_of(self, function: Any, most: int) -> str:
        """The name that a function has in the file, where it is defined if it was not before."""
        if id(function) not in self._names:
            if len(self._names) >= most:
                raise _NoSourceError(function)
            self._kept.append(function)
            wanted = function.__name__.lstrip("_")
            self._names[id(function)] = name = _unused(wanted, self._taken)
            self.definitions += ["", "", self._written(function, name, most)]
        return self._names[id(function)]

    def beside(self, name: str, others: set[str]) -> str:
        """Another name for what has a name in the file, where that is one of others."""
        if name not in others:
            return name
        alias = _unused(name, self._taken | others)
        self._taken.add(alias)
        self.aliases.append(f"{alias} = {name}")
        return alias

    def _written(self, function: Any, name: str, most: int) -> str:
        """The source of a function, with the names that what it uses has in this file."""
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        bare = inspect.unwrap(function)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or getattr(bare, "__closure__", None):
            raise _NoSourceError(function)
        node.name = name
        if bare is function:  # other decorators than those of a wrapper only take note of a function
            node.decorator_list = []
        if ast.get_docstring(node) is not None:
            node.body[:1] = [ast.Expr(ast.Constant(str(ast.get_docstring(node)).partition("\n")[0]))]
        namespace = vars(sys.modules[bare.__module__])
        return ast.unparse(_Renamed(self, namespace, _locals_of(node), most).visit(node))

    def literal(self, value: Any, most: int = 0) -> str:
        """A parameter, or the value of a global name, as Python writes it."""
        if isinstance(value, _Written):
            return str(value)
        if isinstance(value, np.dtype):
            return f"np.dtype({value.name!r})"
        if isinstance(value, type) and issubclass(value, np.generic):
            return f"np.{value.__name__}"
        if isinstance(value, float) and not np.isfinite(value):
            return f"float({str(value)!r})"
        if isinstance(value, np.generic):
            return f"np.{value.dtype.name}({self.literal(value.item())})"
        if isinstance(value, range):
            return repr(value)
        if isinstance(value, slice):
            return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
        if type(value) in (tuple, list):
            inside = ", ".join([self.literal(x, most) for x in value])
            return f"({inside}{',' if len(value) == 1 else ''})" if isinstance(value, tuple) else f"[{inside}]"
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{self.literal(k)}: {self.literal(v, most)}" for k, v in value.items()) + "}"
        if value is None or value is Ellipsis or isinstance(value, bool | int | float | complex | str | bytes):
            return repr(value)
        if isinstance(value, set | frozenset):
            return f"frozenset([{', '.join([self.literal(x) for x in value])}])"
        if isinstance(value, np.ndarray):
            return self.array(value)
        return self._function(value, most) if callable(value) else self._pickled(value)

    def array(self, x: np.ndarray) -> str:
        """An array as Python writes it: its numbers, or all its bytes."""
        if not x.size:
            return f"np.empty({x.shape}, {x.dtype.name!r})"
        if x.size <= SMALL and x.dtype.kind in "biuf" and np.isfinite(x).all():
            return f"np.array({x.tolist()!r}, {x.dtype.name!r})"
        return f"np.frombuffer({self._bytes(x.tobytes())}, {x.dtype.str!r}).reshape({x.shape})"

    def _bytes(self, x: bytes) -> str:
        return f"{self.use('base64', 'base64')}.b64decode({base64.b64encode(x).decode()!r})"

    def _pickled(self, value: Any) -> str:
        """An object of another package, as a sparse matrix of SciPy's is."""
        if type(value).__module__.partition(".")[0] in ("minigrad", "__main__"):
            raise _NoSourceError(value)
        try:
            return f"{self.use('pickle', 'pickle')}.loads({self._bytes(pickle.dumps(value))})"
        except Exception as error:  # whatever it is that an object objects to
            raise _NoSourceError(value) from error

    def _function(self, value: Any, most: int) -> str:
        if value is Handle:
            return "type(None)"  # in the file there are arrays alone
        if isinstance(owner := getattr(value, "__self__", None), np.ufunc):
            return f"np.{owner.__name__}.{value.__name__}"
        module = getattr(value, "__module__", None) or ""
        if isinstance(value, np.ufunc) or module.startswith("numpy"):
            return _numpy_name(value)
        if module in sys.stdlib_module_names and hasattr(value, "__qualname__"):
            return f"{self.use(module, module)}.{value.__qualname__}"
        if hasattr(value, "primitive"):
            return self.name_of(value.primitive.forward, most)
        if isinstance(inspect.unwrap(value), FunctionType | type):
            return self.name_of(value, most)
        raise _NoSourceError(value)


class _NoSourceError(Exception):
    """Something that cannot be written down."""


class _Written(str):
    """What is written already."""


class _Renamed(ast.NodeTransformer):
    """The source of a function with the names of another file, without what is said of types and of mistakes."""

    def __init__(self, library: Library, namespace: Mapping[str, Any], own: set[str], most: int) -> None:
        self.helpers, self.namespace, self.own, self.most = library, namespace, own, most

    def _as_here(self, value: Any) -> ast.expr:
        text = self.helpers.beside(self.helpers.literal(value, self.most), self.own)
        return ast.parse(text, mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.own or node.id not in self.namespace:
            return node
        value = self.namespace[node.id]
        if isinstance(value, ModuleType):
            return ast.Name(self.helpers.use(node.id, value.__name__), node.ctx)
        return self._as_here(value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self.namespace.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(module, ModuleType) and module.__name__.startswith("minigrad"):
            return self._as_here(getattr(module, node.attr))
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        called = node.exc.func if isinstance(node.exc, ast.Call) else None
        words = called.id.strip("_").replace("_", " ") if isinstance(called, ast.Name) else "error"
        return ast.parse(f"raise ValueError({words!r})").body[0]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], self.visit(node.value), lineno=0)


def _locals_of(node: ast.AST) -> set[str]:
    """The names that a function binds itself."""
    found = {x.id for x in ast.walk(node) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    return found | {x.arg for x in ast.walk(node) if isinstance(x, ast.arg)}


def _numpy_name(value: Any) -> str:
    if isinstance(value, np.ufunc):
        return f"np.{value.__name__}"
    own = str(value.__module__).replace("numpy", "np", 1)
    for path in (own, "np", "np.linalg", "np.fft", "np.lib.stride_tricks"):
        found: Any = np
        for part in path.split(".")[1:]:
            found = getattr(found, part, None)
        name: str = value.__name__
        if getattr(found, name, None) is value:
            return f"{path}.{name}"
    raise _NoSourceError


def _index(form: tuple[Any, ...], places: list[str]) -> str:
    rest = iter(places)
    parts = []
    for part in form:
        if part == indexing.PLACE:
            parts.append(next(rest))
        elif isinstance(part, slice):
            ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
            parts.append(":".join(ends) + ("" if part.step is None else f":{part.step}"))
        else:
            parts.append("..." if part is Ellipsis else repr(part))
    return ", ".join(parts) + ("," if len(parts) == 1 and form[0] == indexing.PLACE else "") if parts else "()"


def _described(x: Any) -> str:
    """The form of a variable: dtype and shape, or a class of Python's numbers."""
    return x.dtype.__name__ if isinstance(x.dtype, type) else f"{x.dtype} {x.shape}"


def _identifier(text: str) -> str:
    """A name that Python takes, made of words."""
    words = re.sub(r"\W+", "_", re.sub(r"^(the Tensor|argument|a Tensor of shape) ", "", text)).strip("_")
    words = words if words and not words[0].isdigit() else f"x_{words}"
    return f"{words}_" if keyword.iskeyword(words) else words


def _unused(name: str, taken: set[str]) -> str:
    """A name that is not taken yet, and now is."""
    made, number = name, 2
    while made in taken or keyword.iskeyword(made):
        made, number = f"{name}_{number}", number + 1
    taken.add(made)
    return made

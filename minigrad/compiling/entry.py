"""The short way into a compiled function: one function of Python for one program and one form of arguments.

It looks only at what may differ from the last call, and hands everything that is unusual back to the long way: `MISS`.
"""

from collections.abc import Callable
from typing import Any

from numpy import ndarray

from minigrad.compiling.arguments import Call
from minigrad.compiling.assembling import Misfit
from minigrad.compiling.run import Compiled
from minigrad.compiling.running import raising
from minigrad.core import Handle
from minigrad.core.apply import name_of
from minigrad.creation import get_default_dtype
from minigrad.notes import notes_of
from minigrad.program import Variable
from minigrad.program.equations import Look, OfEntry, OfGrad, OfTensor
from minigrad.settings import unusual
from minigrad.tensor import Tensor
from minigrad.tree import flatten, is_branch
from minigrad.writes import note_write

MISS = object()


def short_way(compiled: Compiled, call: Call, disabled: Callable[[], bool]) -> Callable[..., Any] | None:
    """The function, or None where there is no short way.

    That is where results require grad, random numbers are drawn, arguments are keywords, static by name or trees of
    something else than lists, tuples and dicts, or nothing could be compiled.
    """
    lowered = compiled.runner.lowered
    if (
        lowered is None
        or call.kwargs
        or call.fixed
        or not call.grad
        or compiled.runner.draws
        or any(pullback is not None for pullback in compiled.pullbacks)
    ):
        return None
    return _Writer(compiled, call, disabled).function()


class _Writer:
    def __init__(self, compiled: Compiled, call: Call, disabled: Callable[[], bool]) -> None:
        lowered = compiled.runner.lowered
        assert lowered is not None
        self.compiled, self.call, self.disabled, self.lowered = compiled, call, disabled, lowered
        self.names: dict[str, Any] = {
            "MISS": MISS, "Misfit": Misfit, "ndarray": ndarray, "unusual": unusual, "disabled": disabled,
            "Tensor": Tensor, "name_of": name_of, "notes_of": notes_of, "note_write": note_write, "array": _array,
            "raising": raising, "dtype": get_default_dtype, "default": get_default_dtype(), "compiled": compiled,
            "run": lowered.run,
        }  # fmt: skip
        self._known: dict[int, str] = {}
        self._leaves: list[tuple[str, Any]] = []

    def name(self, value: Any) -> str:
        """The name of an object; of a text, itself."""
        if type(value) is str:
            return repr(value)
        if id(value) not in self._known:
            self._known[id(value)] = name = f"o{len(self._known)}"
            self.names[name] = value
        return self._known[id(value)]

    def look(self, look: Any) -> str:
        """An expression that finds something out."""
        if isinstance(look, Look):
            return look.text.format(*map(self.name, look.objects))
        return f"{self.name(look)}()"

    def function(self) -> Callable[..., Any] | None:
        """The function."""
        results = self._results()
        if results is None:
            return None
        count = len(self.call.args)
        lines = [
            "if unusual or disabled() or raising() or dtype() is not default: return MISS",
            f"if len(args) != {count}: return MISS",
        ]
        if count:
            lines.append(f"{''.join(f'a{i}, ' for i in range(count))} = args")
        for i, x in enumerate(self.call.args):
            if not self._apart(f"a{i}", x, lines):
                return None
        if len(self._leaves) != len(self.call.leaves) or any(
            x is not y for (_, x), y in zip(self._leaves, self.call.leaves, strict=True)
        ):
            return None  # they are taken apart in another order
        for name, x in self._leaves:
            lines += self._argument(name, x)
        for guard in self.compiled.program.guards:
            seen = guard.seen
            said = f"{seen!r}" if type(seen) in (bool, int, str) or seen is None else self.name(seen)
            lines.append(f"if ({self.look(guard.look)}) != {said}: return MISS")
        lines += self._outside()
        values = [*(repr(x) for x, _ in self.compiled.outside)]
        values += [self._leaves[number][0] for number in self.compiled._numbers]
        values += [self.name(constant) for constant in self.compiled._constants]
        lines += ["try:", f"    made = run({', '.join(values)})", "except Misfit:", "    return MISS"]
        lines += self._effects()
        lines += ["compiled.runs += 1", f"return {results}"]
        text = "\n    ".join(["def enter(*args):", *lines, ""])
        exec(compile(text, f"<the way into {self.compiled.program.name}>", "exec"), self.names)
        function: Callable[..., Any] = self.names["enter"]
        return function

    def _apart(self, name: str, x: Any, lines: list[str]) -> bool:
        """Take an argument apart; whether that is possible here."""
        if type(x) not in (list, tuple, dict):
            self._leaves.append((name, x))
            return not is_branch(x)
        lines.append(f"if {name}.__class__ is not {type(x).__name__} or len({name}) != {len(x)}: return MISS")
        parts = [f"{name}_{i}" for i in range(len(x))]
        if type(x) is dict:
            if not all(type(key) is str for key in x):
                return False
            missing = " or ".join(f"{key!r} not in {name}" for key in x)
            lines += [f"if {missing}: return MISS"] if x else []
            lines += [f"{part} = {name}[{key!r}]" for part, key in zip(parts, x, strict=True)]
        elif x:
            lines.append(f"{''.join(f'{part}, ' for part in parts)} = {name}")
        values = x.values() if type(x) is dict else x
        return all(self._apart(part, value, lines) for part, value in zip(parts, values, strict=True))

    def _argument(self, name: str, x: Any) -> list[str]:
        """Whether an argument has the form that it had; then its value stands in its place."""
        if isinstance(x, Handle):
            other = "is not" if x.node is None else "is"
            check = [f"if {name}.__class__ is not {self.name(type(x))} or {name}.node {other} None: return MISS"]
            return [*check, f"{name} = {name}.array", *self._form(name, x.array)]
        if isinstance(x, ndarray):
            return self._form(name, x)
        if type(x) is float:
            return [f"if {name}.__class__ is not float: return MISS"]
        return [f"if {name}.__class__ is not {self.name(type(x))} or {name} != {self.name(x)}: return MISS"]

    def _form(self, name: str, value: Any) -> list[str]:
        if not isinstance(value, ndarray):
            return [f"if {name}.__class__ is not {self.name(type(value))}: return MISS"]
        wrong = [f"{name}.__class__ is not ndarray", f"{name}.dtype is not {self.name(value.dtype)}"]
        wrong.append(f"{name}.shape != {value.shape}")
        if value.ndim > 1:
            wrong.append(f"{'not ' * value.flags.c_contiguous}{name}.flags.c_contiguous")
        return [f"if {' or '.join(wrong)}: return MISS"]

    def _outside(self) -> list[str]:
        """What is read; an array that is the one of the last call needs no look."""
        lines = []
        for (x, source), ordered in zip(self.compiled.outside, self.compiled._ordered, strict=True):
            lines.append(f"{x!r} = {self.look(source.look)}")
            if isinstance(x.dtype, type):
                lines.append(f"if {x!r}.__class__ is not float and {x!r}.__class__ is not int: return MISS")
                continue
            last = self.name([None])
            wrong = [f"not {self.name(x)}.fits({x!r})"]
            if ordered and len(x.shape) > 1:
                wrong.append(f"not {x!r}.flags.c_contiguous")
            lines.append(f"if {x!r} is not {last}[0]:")
            lines += [f"    if {' or '.join(wrong)}: return MISS", f"    {last}[0] = {x!r}"]
        for tensor, required in self.compiled._require:
            lines.append(f"if {self.name(tensor)}.node is {'' if required else 'not '}None: return MISS")
        return lines

    def _effects(self) -> list[str]:
        lines = []
        targets = self.lowered.targets
        number = self.compiled.results
        for target, x in self.compiled.program.effects:
            value = "None"
            if x is not None:
                value, number = f"made[{number}]", number + 1
            in_place = x in targets
            if isinstance(target, OfTensor):
                tensor = self.name(target.tensor)
                if not in_place:
                    written = f"{tensor}.array[...]" if target.in_memory else f"{tensor}.array"
                    lines.append(f"{written} = {value if target.in_memory else self._alone(x, value)}")
                if target.tensor.node is not None:
                    lines.append(f"note_write({tensor}.node)")
            elif isinstance(target, OfGrad):
                made = "None" if x is None else f"name_of({self._alone(x, value)}, None)"
                lines.append(f"notes_of({self.name(target.node)}).grad = {made}")
            elif isinstance(x, Variable) and isinstance(x.dtype, type):
                lines.append(f"{self.name(target.mapping)}[{target.key!r}] = {value}")
            elif not in_place:
                assert isinstance(target, OfEntry)
                lines.append(f"{self.name(target)}.write({self._alone(x, value)})")
        return lines

    def _alone(self, x: Any, value: str) -> str:
        """The value in memory of its own."""
        return value if self._is_fresh(x) else f"array({value})"

    def _is_fresh(self, x: Any) -> bool:
        """Whether the kernels have made an array for this value alone."""
        program = self.compiled.program
        ends = [*program.outputs, *(v for _, v in program.effects if v is not None)]
        return x in self.lowered.fresh and ends.count(x) == 1

    def _results(self) -> str | None:
        """The expression of what is returned: a Tensor, an array, or a tuple, a list or a dict of them."""
        program = self.compiled.program
        named = self.call.named or self.compiled.reads_tensors
        made = []
        for i, x in enumerate(program.outputs):
            value = self._alone(x, f"made[{i}]")
            made.append(f"name_of({value}, None)" if named else value)
        rebuild = program.form.rebuild
        marks = [_Mark(i) for i in range(len(made))]
        tree = rebuild(marks)
        if isinstance(tree, _Mark):
            return made[0]
        leaves, _ = flatten(tree)
        if type(tree) in (tuple, list) and all(type(x) is _Mark for x in tree) and len(leaves) == len(tree):
            items = "".join(f"{made[x.number]}, " for x in tree)
            return f"({items})" if type(tree) is tuple else f"[{items}]"
        return f"{self.name(rebuild)}([{', '.join(made)}])"


class _Mark:
    def __init__(self, number: int) -> None:
        self.number = number


def _array(x: Any) -> Any:
    return x.copy() if x.__class__ is ndarray else x

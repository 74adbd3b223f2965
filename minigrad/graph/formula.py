"""The formula of an operation's derivative, as its source says it."""

import ast
import inspect
import linecache
import re
import textwrap
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from minigrad.core import Primitive
from minigrad.graph import wording
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply, zero_safe_product

LENGTH = 200


def formulas(primitive: Primitive) -> list[tuple[str, str]]:
    """For each operand with a derivative its name and the formula; one for all where there is a joint rule.

    Products and quotients that keep a zero, which rules are made of, are written as products and quotients.

    The formula of a rule that is a single expression is that expression; of one that only calls a private function or a
    shared rule, the first line of that function's docstring; of a longer function, its name and that line.  `g` is the
    gradient of the result, `y` the result.
    """
    if primitive.joint is not None:
        return [("all operands", _plain(primitive.joint))]
    names = primitive.forward.__code__.co_varnames
    return [(names[i], _plain(rule)) for i, rule in enumerate(primitive.rules) if rule is not None]


_OPERATORS: dict[Any, ast.operator] = {
    zero_safe_multiply: ast.Mult(),
    zero_safe_product: ast.Mult(),
    zero_safe_divide: ast.Div(),
}


class _Plain(ast.NodeTransformer):
    """Products and quotients that keep zeros as operators."""

    def __init__(self, meaning: Mapping[str, Any]) -> None:
        self.meaning = meaning  # of the names in the formula

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        operator = _OPERATORS.get(self.meaning.get(node.func.id)) if isinstance(node.func, ast.Name) else None
        return node if operator is None else ast.BinOp(node.args[0], operator, node.args[1])


def _plain(rule: Callable[..., Any]) -> str:
    formula = _of_rule(rule)
    try:
        return ast.unparse(_Plain(getattr(rule, "__globals__", {})).visit(ast.parse(formula, mode="eval")))
    except SyntaxError:  # it is words, or was cut
        return formula


def _of_rule(rule: Callable[..., Any]) -> str:
    code = getattr(rule, "__code__", None)
    if code is None:
        return wording.shortened(repr(rule), LENGTH)
    if code.co_name == "<lambda>":
        text = _body(code)
        # To a private function or to a rule that several operations share, with plain operands.
        handed_on = re.fullmatch(r"(_\w+|\w+_rule)\((?:[\w, ]|-\d)*\)", text)
        said = _said(rule.__globals__.get(handed_on[1])) if handed_on else ""
        return wording.shortened(said or text or "a lambda whose source is not there", LENGTH)
    if expression := _returned(rule):
        return wording.shortened(expression, LENGTH)
    call = f"{rule.__name__}({', '.join(code.co_varnames[: code.co_argcount])})"
    said = _said(rule)
    if said and rule.__name__.startswith("_"):
        return wording.shortened(said, LENGTH)
    return wording.shortened(f"{call}: {said}" if said else call, LENGTH)


def _said(function: Any) -> str:
    """The first line of a docstring: of a rule, its formula."""
    return (getattr(function, "__doc__", None) or "").strip().partition("\n")[0].replace("``", "")


def _returned(rule: Callable[..., Any]) -> str:
    """What a function returns that does nothing else."""
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(rule))).body[0]
    except (OSError, SyntaxError, TypeError):
        return ""
    body = function.body if isinstance(function, ast.FunctionDef) else []
    statements = [step for step in body if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))]
    if len(statements) == 1 and isinstance(statements[0], ast.Return) and statements[0].value is not None:
        return ast.unparse(statements[0].value)
    return ""


def _body(code: CodeType) -> str:
    """What a lambda computes, cut out of its source file."""
    spans: list[Any] = [span for span in code.co_positions() if None not in span and span[::2] != span[1::2]]
    if not spans:
        return ""
    first, start = min((first, start) for first, _, start, _ in spans)
    last, stop = max((last, stop) for _, last, _, stop in spans)
    # Columns are counted in bytes.
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    if not all(lines):
        return ""
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][start:]
    text = " ".join(b" ".join(lines).decode(errors="replace").split())
    # What is put in parentheses begins within them.
    return f"({text}" if text.count(")") > text.count("(") else text

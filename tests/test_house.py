"""The structure of the package: who may import whom, how long a file may be, and what a derivative rule may say."""

import ast
import doctest
import graphlib
import importlib
import importlib.util
import inspect
import io
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.core import numpy_functions, primitives
from tests.needs import engine_of
from tests.rows import each

PACKAGE = Path(mg.__file__).parent
FILES = {
    ".".join(["minigrad", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# From the bottom to the top.  A module may import what lies on lower floors, and what belongs to its own subpackage.
FLOORS = [
    {"errors", "progress", "hooks", "memory", "display", "version"},
    {"contexts", "diagnostics", "facts", "later", "operands", "options", "registry", "replacing", "rules", "views"},
    {"gradients", "ordering", "settings", "threads", "writes"},
    {"notes"},
    {"core"},
    {"ops", "tree", "autograd"},
    {"protocols", "several"},
    {"conversions"},
    {"tensor"},
    {"creation", "dtypes"},
    {"random", "inspection", "linalg", "fft", "special", "control"},
    {"distributed"},
    {"nn", "program", "stats", "transforms", "executors"},
    {"checkpointing"},
    {"graph", "compiling", "mapping"},
    {"gradcheck", "sparse_jacobians"},
    {"jacobians"},
    {"optim", "testing", "curvature"},
    {"interop", "export"},
    {"plot", "io", "data", "objectives"},  # to the side: nothing stands on these
    {"torch", "hips"},  # on top of all: they translate the public face
]


@cache
def parsed(module):
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def statements(tree, inside_functions=True):
    """All nodes that run, without what stands under TYPE_CHECKING."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            stack.extend(node.orelse)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def imported(module, inside_functions=True):
    """The full names of the modules that a module imports."""
    for node in statements(parsed(module), inside_functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (part for part in parts if part in FILES)
            if any(part not in FILES for part in parts):
                yield node.module


def floor(module):
    name = module.split(".")[1]
    found = [i for i, names in enumerate(FLOORS) if name in names]
    assert found, f"minigrad.{name} has no place in FLOORS yet"
    return found[0]


MODULES = [module for module in FILES if module != "minigrad"]


@each("module", MODULES)
def test_imports_point_downwards_only(module):
    for other in imported(module):
        if not other.startswith("minigrad"):
            continue
        assert other != "minigrad" or module.startswith("minigrad.torch"), f"{module} imports the public face"
        if other == "minigrad":
            continue
        if other.split(".")[1] != module.split(".")[1]:
            assert floor(other) < floor(module), f"{module} imports {other}, which does not lie below it"


def test_imports_run_in_no_circle():
    graph = {module: {other for other in imported(module) if other in FILES and other != module} for module in FILES}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(FILES)


# Nothing of `import minigrad` reaches these files: the classes of the one can be pickled only if they are made at
# module level; that of the other is one of Matplotlib's.  The tables of `export` are of JAX's functions; ONNX's objects
# are made when a graph is done.
OPTIONAL = {
    "minigrad.interop.sklearn.scikit": {"sklearn"},
    "minigrad.plot.film": {"matplotlib", "PIL"},
    **{module: {engine} for module in FILES if (engine := engine_of(module))},
}


@each("module", FILES)
def test_only_numpy_and_the_standard_library_are_imported_at_module_level(module):
    tops = {other.split(".")[0] for other in imported(module, inside_functions=False)}
    assert tops <= {"minigrad", "numpy"} | set(sys.stdlib_module_names) | OPTIONAL.get(module, set())


def test_importing_minigrad_imports_nothing_beyond_numpy_and_the_standard_library():
    code = "import sys; before = set(sys.modules); import minigrad; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    tops = {name.split(".")[0] for name in loaded}
    assert {"minigrad", "numpy"} <= tops
    assert tops <= {"minigrad", "numpy"} | set(sys.stdlib_module_names)


# Names


def _isort_order(name):
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


@each("module", FILES)
def test_all_is_sorted_complete_and_importable(module):
    package = FILES[module].name == "__init__.py"
    engine = engine_of(module)
    if engine is not None and importlib.util.find_spec(engine) is None:
        return  # the tests of `export` say that it is missing
    names = getattr(importlib.import_module(module), "__all__", None)
    if names is None:
        docstring_only = len(parsed(module).body) <= 1
        assert not package or docstring_only, f"{module} is a package without __all__"
        return
    assert list(names) == sorted(set(names), key=_isort_order)
    for name in names:
        assert hasattr(importlib.import_module(module), name)


def names_in(nodes):
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def test_the_public_face_consists_of_imports_one_list_of_them_and_one_call():
    docstring, *imports, seen_by_type_checkers, later, names, call, listing = parsed("minigrad").body
    assert isinstance(docstring.value, ast.Constant)
    assert names.targets[0].id == "__all__"
    assert ast.unparse(call) == "keep_freed_memory()"  # the one effect of the import, where everybody can see it
    assert listing.name == "__dir__"
    offered = ast.literal_eval(later.value.args[1])
    found_later = {name for module in offered.values() for name in module}
    assert ast.unparse(seen_by_type_checkers.test) == "TYPE_CHECKING"
    assert names_in(seen_by_type_checkers.body) == found_later
    means = {"keep_freed_memory", "imported_later", "TYPE_CHECKING"}
    not_of_stars = {"curvature", "export", "hips", "interop", "plot", "testing", "torch"}
    assert names_in(imports) - means | found_later == set(mg.__all__) | not_of_stars
    assert set(mg.__all__) == set(dir(mg))
    assert not not_of_stars & set(mg.__all__)


def test_what_is_imported_later_is_what_is_meant():
    code = (
        "import sys, minigrad as mg\n"
        "print([name for name in ('nn', 'graph', 'io') if f'minigrad.{name}' in sys.modules])\n"
        "print(mg.nn is sys.modules['minigrad.nn'], mg.load is mg.io.load, callable(mg.gradcheck))\n"
        "others = ('curvature', 'hips', 'interop', 'plot', 'testing', 'torch')\n"
        "print([name for name in others if f'minigrad.{name}' in sys.modules])\n"
        "print([name for name in others if getattr(mg, name) is not sys.modules[f'minigrad.{name}']])\n"
        "print('matplotlib' in sys.modules, mg.plot.contour.__name__, mg.hips.grad.__name__)\n"
        "from minigrad.gradcheck import gradcheck; print(mg.gradcheck is gradcheck)\n"
        "from minigrad import *; print(optim.SGD.__name__, 'optim' in vars(mg))\n"
        "mg.newton"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "[]", "True True True", "[]", "[]", "False contour grad", "True", "SGD True",
    ]  # fmt: skip
    assert done.stderr.splitlines()[-1].startswith("AttributeError: module 'minigrad' has no attribute 'newton'")


@each("name", mg.__all__)
def test_everything_public_has_a_docstring(name):
    public = getattr(mg, name)
    assert not callable(public) or inspect.getdoc(public)


def public_names(module):
    """The names of the classes and functions that a module offers."""
    own = [name for name, x in vars(module).items() if inspect.isfunction(x) and x.__module__ == module.__name__]
    names = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
    return [name for name in names if not inspect.ismodule(getattr(module, name))]


LAYERS = [
    pytest.param(getattr(module, name), id=f"{module.__name__.removeprefix('minigrad.')}.{name}")
    for module in (mg.nn, mg.nn.functional, mg.nn.init, mg.nn.utils)
    for name in public_names(module)
]


@each("public", LAYERS)
def test_every_layer_and_function_of_nn_has_an_example_that_is_run(public):
    assert "\n    >>> " in (public.__doc__ or "")
    tests = doctest.DocTestFinder(recurse=False).find(public, module=sys.modules[public.__module__])
    assert [test for test in tests if test.examples], "doctest does not find the example"


def test_nn_is_complete():
    assert len(LAYERS) > 250
    modules = [module for module in FILES if module.startswith("minigrad.nn")]
    classes = {
        x
        for module in modules
        for name, x in vars(importlib.import_module(module)).items()
        if inspect.isclass(x) and issubclass(x, mg.nn.Module) and x.__module__ == module and not name.startswith("_")
    }
    bases = {"FunctionLayer", "WeightedLoss"}
    assert {x.__name__ for x in classes} - bases <= {*mg.nn.__all__, *mg.nn.parallel.__all__}


# Size


def lines_of_code(source):
    """How many lines hold code: no blank lines, no comments, no docstrings."""
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in idle:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines.difference_update(range(first.lineno, first.end_lineno + 1))
    return len(lines)


def test_lines_of_code_are_counted_right():
    source = (
        '"""Doc\n\nstring."""\n\n# comment\nx = """a\nb"""  # two\n\n\ndef f(\n    a,\n):\n    """Doc."""\n    return a'
    )
    assert lines_of_code(source) == 2 + 3 + 1


@each("module", FILES)
def test_a_file_has_one_subject(module):
    assert lines_of_code(FILES[module].read_text(encoding="utf-8")) <= 400


def test_the_engine_can_be_read_in_one_sitting():
    engine = {
        module: lines_of_code(path.read_text(encoding="utf-8")) for module, path in FILES.items() if ".core" in module
    }
    assert len(engine) >= 4
    assert sum(engine.values()) <= 450, engine


# The fence around rules

FORBIDDEN = {"array", "asarray", "zeros", "ones", "full", "empty", "copyto", "put", "place", "putmask", "add.at"}
SAFE = {"arange": "makes constants of lengths"}  # functions that are not operations, and what a rule may want of them
TRUSTED = {  # helpers that may do anything
    "normalized": "hands the arrays in an index on as they are",
    "several_axes": "sees numbers of axes, never a Tensor",
}


def _numpy_name(node):
    """The part after the first dot of ``np.add.at``; nothing for other expressions."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join(reversed(names)) if isinstance(node, ast.Name) and node.id == "np" else ""


def _may_use(name):
    value = np
    for part in name.split("."):
        value = getattr(value, part)
    dtype = isinstance(value, type) and issubclass(value, np.generic)
    constant = dtype or isinstance(value, float | np.bool_ | type(None))
    return name not in FORBIDDEN and (constant or name in SAFE or value in numpy_functions)


def _helper(call, module):
    """The function of ours that a rule calls, unless it is an operation, or one composed of operations."""
    namespace = importlib.import_module(module)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        namespace, name = getattr(namespace, call.func.value.id, None), call.func.attr
    else:
        name = getattr(call.func, "id", "")
    helper = getattr(namespace, name, None)
    ours = inspect.isfunction(helper) and helper.__module__.startswith("minigrad.") and name not in TRUSTED
    public = getattr(mg, name, None) is helper or any(helper is stand_in for stand_in in numpy_functions.values())
    operation = hasattr(helper, "primitive") or public
    return helper if ours and not operation else None


def _is_item(target):
    return isinstance(target, ast.Subscript) and isinstance(target.ctx, ast.Store | ast.Del)


def complaints(function, module, seen=()):
    """What a rule, or a helper that it calls, must not say."""
    nodes = list(ast.walk(function))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if _is_item(node):
            yield f"item assignment to {ast.unparse(node)}"
        elif isinstance(node, ast.keyword) and node.arg == "out":
            yield "out="
        elif id(node) not in inner and (name := _numpy_name(node)) and not _may_use(name):
            yield f"np.{name}"
        elif isinstance(node, ast.Call) and (helper := _helper(node, module)) and helper not in seen:
            seen = (*seen, helper)
            definition = _definition(helper.__module__, helper.__name__)
            yield from (f"{helper.__name__}: {text}" for text in complaints(definition, helper.__module__, seen))


def _definition(module, name):
    functions = (node for node in ast.walk(parsed(module)) if isinstance(node, ast.FunctionDef))
    return next(node for node in functions if node.name == name)


def rules_of(tree):
    """The name of each operation in a file, and its rules."""
    for node in ast.walk(tree):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "primitive":
                joint = [keyword.value for keyword in decorator.keywords if keyword.arg == "joint"]
                yield node, [*decorator.args, *joint]


# The rule of a loop is a loop, which is differentiated as one; what it assigns to are lists of Python's.
LOOPS = "minigrad.program.bodies"


@each("module", [module for module in FILES if module != LOOPS])
def test_rules_say_only_what_can_be_differentiated_again(module):
    for node, rules in rules_of(parsed(module)):
        for rule in rules:
            if isinstance(rule, ast.Name):
                rule = _definition(module, rule.id)
            if not (isinstance(rule, ast.Constant) and rule.value is None):
                assert isinstance(rule, ast.Lambda | ast.FunctionDef), "a rule is a lambda, or a function of the file"
                assert list(complaints(rule, module)) == [], node.name


@pytest.mark.parametrize(("source", "count"), [
    ("lambda g, y, x: g * np.cos(x) + np.pi", 0),
    ("lambda g, y, x: g * np.asarray(x)", 1),
    ("lambda g, y, x: np.zeros(x.shape)", 1),
    ("lambda g, y, x: np.multiply(g, x, out=g)", 1),
    ("lambda g, y, x: np.add.at(g, 0, x) + np.fft.fftshift(x)", 2),
    ("def rule(g, y, x):\n    g[0] = 1\n    g[1:], x = 2, 3\n    g[2] += 1", 3),
    ("lambda g, y, x: _array_in(x)", 3),
    ("lambda g, y, x: normalized(x)", 0),
])  # fmt: skip
def test_the_fence_holds(source, count):
    function = ast.parse(source).body[0]
    function = function.value if isinstance(function, ast.Expr) else function
    assert len(list(complaints(function, "minigrad.ops.indexing"))) == count


def test_the_fence_sees_every_primitive():
    found = {node.name.lstrip("_"): rules for module in FILES for node, rules in rules_of(parsed(module))}
    assert {name for name, call in primitives.items() if call.primitive.ours} <= set(found)
    assert sum(map(len, found.values())) > 60


@each("name", [name for name, call in primitives.items() if call.primitive.ours])
def test_every_primitive_has_a_docstring(name):
    call = primitives[name]
    public = getattr(sys.modules[call.__module__], name, call)  # of a private one, the function that people call
    assert call.__doc__ or public.__doc__

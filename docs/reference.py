"""The reference, made from the package itself: a table for each group of names, and a page for each name.

Functions of the package's top are grouped by the module that they come from, all others by their namespace.
"""

import inspect
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = "reference"  # under docs/


class Entry(NamedTuple):
    """A function or class, by its public name."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """The name with its module."""
        return f"{self.module}.{self.name}"

    @property
    def object(self) -> Any:
        """What it names."""
        return getattr(import_module(self.module), self.name)

    @property
    def summary(self) -> str:
        """The first sentence of its docstring, as one line of a table."""
        first = (inspect.getdoc(self.object) or "").partition("\n\n")[0].replace("\n", " ")
        return first.replace("|", "\\|").replace("<", "\\<")

    @property
    def page(self) -> str:
        """The source of its own page."""
        title = self.path if self.module == "minigrad" else self.path.removeprefix("minigrad.")
        kind, members = "autofunction", ""
        if type(self.object).__module__ in _OF_OBJECTS:
            kind, members = "autodata", "   :no-value:\n"
        if inspect.isclass(self.object):
            kind, members = "autoclass", f"   :members: {MEMBERS.get(self.path, '')}\n"
            if self.module == "minigrad.interop.sklearn":
                members += "   :exclude-members: set_fit_request, set_partial_fit_request, set_score_request\n"
        return f"{title}\n{'=' * len(title)}\n\n.. {kind}:: {self.path}\n{members}"


# Members that are described, where not all are.
MEMBERS = {
    "minigrad.Tensor": (
        "backward, grad, retain_grad, register_hook, requires_grad_, detach, numpy, item, tolist, repeat, transpose"
    ),
    "minigrad.compiling.Jitted": "check, explain, program, fused",
    "minigrad.mapping.StackedModules": "tensors, member",
}

# Each group has a title, and holds names of the top by the modules that they come from, namespaces, and single names.
GROUPS: dict[str, tuple[str, str, str]] = {
    "Tensors": ("tensor creation dtypes inspection random", "random", ""),
    "Gradients": (
        "transforms jacobians gradcheck.check core.mode checkpointing several settings threads", "autograd tree", "",
    ),
    "Batches": ("mapping.mapper mapping.stacking", "", "mapping.StackedModules"),
    "Programs": (
        "compiling.function control", "program", "compiling.disabled compiling.Jitted compiling.building.info",
    ),
    "Elementwise functions": ("ops.elementwise ops.numpy_elementwise", "", ""),
    "Sums, means and other summaries": (
        "ops.reductions ops.statistics ops.quantiles ops.ignoring_nan ops.numerics ops.polynomials", "", "",
    ),
    "Shapes, indices and order": ("ops.shaping ops.indexing ops.scattering ops.sorting", "", ""),
    "Linear algebra": ("ops.linalg", "linalg", ""),
    "Fourier transforms": ("", "fft", ""),
    "Special functions": ("", "special", ""),
    "Densities": ("", "stats", ""),
    "Graphs": ("", "graph", ""),
    "Layers and losses": ("", "nn nn.init nn.utils", ""),
    "Layers and losses as functions": ("", "nn.functional", ""),
    "Minimizing a function": ("", "objectives", "optim.minimize optim.Result optim.sweep optim.SweepResult "
                              "optim.lr_range_test optim.LrRange"),
    "Optimizers and schedules": ("", "optim optim.lr_scheduler optim.swa_utils", ""),
    "Curvature": ("", "curvature", ""),
    "Pictures": ("", "plot", ""),
    "Several processes": (
        "", "distributed nn.parallel", "data.DistributedSampler optim.ZeroRedundancyOptimizer",
    ),
    "Other engines": ("", "export", ""),
    "Data and files": ("io.files", "data io progress", ""),
    "Testing": ("", "testing testing.strategies", ""),
    "scikit-learn": ("", "interop.sklearn", ""),
    "Errors": ("", "errors", ""),
}  # fmt: skip


# Namespaces that offer objects with docstrings of their own.
_OF_OBJECTS = ("minigrad.stats", "minigrad.objectives")


def _is_described(thing: Any) -> bool:
    kinds = inspect.isfunction(thing) or inspect.isclass(thing) or type(thing).__module__ in _OF_OBJECTS
    return kinds and bool(inspect.getdoc(thing))


def _names_of(module: str) -> list[str]:
    """What a namespace offers: its list, or what is defined there."""
    namespace = import_module(module)
    own = [
        name for name, thing in vars(namespace).items()
        if not name.startswith("_") and module in (getattr(thing, "__module__", ""), type(thing).__module__)
    ]  # fmt: skip
    names = getattr(namespace, "__all__", own)
    return [name for name in names if _is_described(getattr(namespace, name))]


def groups() -> dict[str, list[Entry]]:
    """All names by groups, each once."""
    top = [Entry("minigrad", name) for name in _names_of("minigrad")]
    found: dict[str, list[Entry]] = {}
    single = {f"minigrad.{path}" for _, _, paths in GROUPS.values() for path in paths.split()}
    for title, (homes, namespaces, paths) in GROUPS.items():
        homes_of_these = [f"minigrad.{home}" for home in homes.split()]
        entries = [entry for entry in top if entry.object.__module__ in homes_of_these]
        classes = [entry.object for entry in entries if inspect.isclass(entry.object)]  # which have one page
        for namespace in namespaces.split():
            module = f"minigrad.{namespace}"
            others = [Entry(module, n) for n in sorted(_names_of(module)) if f"{module}.{n}" not in single]
            entries += [entry for entry in others if entry.object not in classes]
        entries += [Entry(*f"minigrad.{path}".rsplit(".", 1)) for path in paths.split()]
        found[title] = entries
    return found


def write(docs: Path) -> None:
    """Write all pages, in a folder of their own."""
    folder = docs / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    slugs = []
    for title, entries in groups().items():
        slug = title.lower().replace(",", "").replace(" ", "-")
        slugs.append(slug)
        for entry in entries:
            (folder / f"{entry.path}.rst").write_text(entry.page, encoding="utf-8")
        (folder / f"{slug}.md").write_text(_group(title, entries), encoding="utf-8")
    contents = "\n".join(slugs)
    plugin = "The plugin for pytest\n=====================\n\n.. automodule:: pytest_minigrad\n   :no-members:\n"
    (folder / "pytest.rst").write_text(plugin, encoding="utf-8")
    (folder / "index.md").write_text(
        "# Reference\n\nEvery public name has a page, with its docstring.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{contents}\npytest\n```\n",
        encoding="utf-8",
    )


def _group(title: str, entries: list[Entry]) -> str:
    rows = "\n".join(f"| [`{e.path.removeprefix('minigrad.')}`]({e.path}.rst) | {e.summary} |" for e in entries)
    pages = "\n".join(f"{e.path.removeprefix('minigrad.')} <{e.path}>" for e in entries)
    return f"# {title}\n\n| name | |\n|---|---|\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"

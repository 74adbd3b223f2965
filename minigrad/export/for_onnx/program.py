"""To ONNX: a model or a function as a file that other runtimes compute, operation by operation."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import unwrap
from minigrad.errors.exporting import no_function, not_named, nothing_returned, opset_out_of_range, too_many_bytes
from minigrad.errors.files import missing_package
from minigrad.export.for_onnx.arguments import Arguments, arguments_of
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.captures import TARGET, captured
from minigrad.export.for_onnx.evaluating import Lowering, check_dtype, constant_value
from minigrad.export.for_onnx.merging import Merged, first_use, merged
from minigrad.export.for_onnx.naming import chosen_names, models_of, names_of_arrays, result_names
from minigrad.export.for_onnx.sizes import named
from minigrad.export.for_onnx.values import Value
from minigrad.export.tables import check_rows
from minigrad.nn import Module
from minigrad.replacing import replace_file

LEAST_OPSET = 18
LIMIT = 2**31 - 1  # bytes, which protobuf can write


def onnx(
    model_or_function: Module | Callable[..., Any],
    args: Any,
    path: str | os.PathLike[str],
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_shapes: Mapping[str, Mapping[int, str]] | Sequence[Mapping[int, str] | None] | None = None,
    opset_version: int = LEAST_OPSET,
    verify: bool = True,
) -> None:
    """Write a model, or a function of Tensors, as an ONNX file.

    Parameters
    ----------
    model_or_function : Module or callable
        Of trees of arrays; it returns a tree of Tensors, and changes nothing: a model is in evaluation mode.
        Parameters and buffers of a model are initializers with the keys of its `state_dict`, also of a model that the
        function finds outside of itself.
    args : tuple, or array
        Examples of the arguments.  Arrays and Tensors are inputs of the graph, of these shapes and dtypes; numbers of
        Python, bools and strings are fixed.
    path : path-like
        An existing file is replaced at once, when the new one is whole and verified.
    input_names, output_names : sequence of str, optional
        By default inputs are called as the parameters of the function, and outputs ``output``, or by their keys.
    dynamic_shapes : dict or tuple, optional
        Which axes have any size: ``{"x": {0: "batch"}}`` by the names of inputs, or a tuple with an entry for each
        argument.  Axes with one name have one size.
    opset_version : int
        From 18 on, as far as the package onnx knows.
    verify : bool
        Check the file by ONNX's own checker, run it, and compare with the function, before anything is written.

    Raises
    ------
    ArgumentError
        If names, sizes or the version cannot be.
    ProgramError
        If the function cannot be traced, changes something or draws random numbers; if it depends on a size in a way
        that the graph cannot have; if results differ.
    UnsupportedError
        If ONNX has nothing for an operation, which is named with its line, or for a dtype (complex numbers, float16),
        or if the model has more than 2 GB.
    MissingPackageError
        If onnx is not installed (the extra `onnx`).

    Notes
    -----
    Results may differ by rounding.  `verify` allows 1e-4 in float32 and 1e-9 in float64, of the largest number of an
    output, and ten times the rounding of 1; integers and bools are the same.  It runs the graph on onnxruntime, and
    where that is not installed, or has no kernel for an operation, on ONNX's reference evaluator; with `dynamic_shapes`
    also at other sizes, of which one is 1.

    Checks of values, as of labels out of range, are no part of the graph, and a length that depends on values, as that
    of `bincount`, stays what it is with the examples.

    Runtimes have rules of their own where a window of `max_pool` has NaN, or nothing but ``-inf``; onnxruntime sums
    int64 in floating point, which is exact up to ``2**53``.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> model = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.ReLU(), mg.nn.Linear(8, 3)).eval()
    >>> x = np.zeros((2, 4), np.float32)
    >>> mg.export.onnx(model, (x,), "model.onnx", dynamic_shapes={"input": {0: "batch"}})  # doctest: +SKIP
    """
    library = _library()
    f = model_or_function
    if not callable(f):
        raise no_function(f)
    most = max(row[2] for row in library.helper.VERSION_TABLE)  # the last one that is released
    if (
        isinstance(opset_version, bool)
        or not isinstance(opset_version, int)
        or not LEAST_OPSET <= opset_version <= most
    ):
        raise opset_out_of_range(opset_version, LEAST_OPSET, most)
    arguments = arguments_of(f, args, input_names, dynamic_shapes)
    for i, name in arguments.inputs:
        check_dtype(unwrap(arguments.leaves[i]).dtype, f"the input {name!r}")
    models = models_of(f)
    captures = captured(f, arguments, list(models.values()))
    name = captures.programs[0].name
    if not captures.programs[0].outputs:
        raise nothing_returned(name)
    outputs = chosen_names("output_names", output_names, result_names(captures.programs[0].result))
    graph = _graph(merged(captures), arguments, outputs, names_of_arrays(models))
    from minigrad.export.for_onnx.verifying import verified  # which need the package
    from minigrad.export.for_onnx.writing import model_of_graph

    model = model_of_graph(graph, name, opset_version)
    if verify:
        verified(model, f, arguments, captures.check, outputs)
    content = model.SerializeToString()
    replace_file(path, lambda file: file.write(content), f"{TARGET}(model, args, path)")


def _library() -> Any:
    try:
        import onnx as library  # type: ignore[import-not-found,unused-ignore]  # optional, and slow to import
    except ImportError as error:
        raise missing_package(TARGET, "onnx", "onnx") from error
    return library


def check_size(constants: Iterable[Any]) -> None:
    """Raise if arrays have no place in one file."""
    total = sum(x.nbytes for x in constants if isinstance(x, np.ndarray | np.generic))
    if total > LIMIT:
        raise too_many_bytes(total, LIMIT)


def _graph(program: Merged, arguments: Arguments, outputs: Sequence[str], keys: Mapping[int, str]) -> Graph:
    """The program as a graph."""
    from minigrad.export.for_onnx.table import LOWERED

    check_rows("ONNX", program.equations, LOWERED)
    check_size(program.constants.values())
    graph = Graph()
    taken = {keys[id(array)] for array in program.constants.values() if id(array) in keys}
    for what, chosen in (("input_names", [name for _, name in arguments.inputs]), ("output_names", outputs)):
        if clash := sorted(taken.intersection(chosen)):
            raise not_named(what, list(chosen), f"have {clash[0]!r}, which an input or a parameter is called")
        taken.update(chosen)
    graph.names |= taken
    values = _arguments(graph, program, arguments) | _constants(graph, program, keys)
    lowering = Lowering(LOWERED, program, list(arguments.sizes))
    wanted: dict[Any, str] = {}
    for x, name in zip(program.outputs, outputs, strict=True):
        wanted.setdefault(x, name)
    lowering.run(graph, program.equations, values, wanted)
    graph.scope = graph.place = ""
    for x, name in zip(program.outputs, outputs, strict=True):
        value = lowering.whole(graph, values[x])
        # What has another name already, as an input that is returned, is copied.
        graph.outputs.append(value if value.name == name else graph.copied(value, name))
    return graph


def _arguments(graph: Graph, program: Merged, arguments: Arguments) -> dict[Any, Any]:
    """The inputs of a graph, in the order of the arguments, also those that nothing uses."""
    by_number = {number: x for x, number in program.arguments.items()}
    values: dict[Any, Any] = {x: arguments.leaves[i] for i, x in by_number.items()}
    for i, name in arguments.inputs:
        array, axes = unwrap(arguments.leaves[i]), arguments.axes[i]
        shape = tuple([named(axes[axis]) if axis in axes else n for axis, n in enumerate(array.shape)])
        made = graph.input(name, array.dtype, shape)
        for axis, size in axes.items():
            graph.dims.setdefault(size, (made, axis))
        if i in by_number:
            values[by_number[i]] = made
    return values


def _constants(graph: Graph, program: Merged, keys: Mapping[int, str]) -> dict[Any, Any]:
    """What the function found outside of itself; parameters and buffers under their keys."""
    values: dict[Any, Any] = {}
    for x, constant in program.constants.items():
        key = keys.get(id(constant))
        if isinstance(constant, np.ndarray | np.generic):
            use = first_use(x, program.equations)
            what = f"the parameter {key!r}" if key else "a constant"
            check_dtype(constant.dtype, what, None if use is None else use.place)
        if key is not None:
            graph.initializers[key] = constant
            values[x] = Value(graph, key, constant.dtype, constant.shape)
        else:
            values[x] = constant if type(constant) in (bool, int, float) else constant_value(graph, constant)
    return values

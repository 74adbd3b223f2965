"""Matrices of derivatives: all rows, or all columns, in one pass over the graph, as `vmap` makes it.

The rows of a Jacobian are what the pullback makes of unit vectors; its columns are what the transpose of the pullback,
which is linear in its cotangent, makes of them.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import unwrap
from minigrad.errors.functions import not_a_function, not_holomorphic
from minigrad.mapping.rows import each_unit, is_watched
from minigrad.ops.shaping import moveaxis, reshape
from minigrad.options import whole_number
from minigrad.transforms import Function, _close, _numbers, _outputs, _pull, _Run, _transposed, grad

# A column costs more than a row: its program is that of the pullback and of its transpose.
DEARER = 2


def jacobian(
    f: Function, argnums: int | Sequence[int] = 0, *, chunk_size: int | None = None, sparse: bool = False
) -> Function:
    """Make a function that returns the Jacobian of `f`: by rows or by columns, whichever are less.

    Parameters
    ----------
    f : callable
        Returns an array, or a tree of arrays.
    argnums : int or sequence of int
        Which arguments to differentiate by.
    chunk_size : int, optional
        How many rows or columns to compute at once, to save memory; by default all.
    sparse : bool
        Whether to return a sparse matrix of SciPy's, of one array result by one array argument, both flattened.  Where
        it is not 0 is read off the graph, and rows (or columns) that have no place in common are computed as one
        (A. R. Curtis, M. J. D. Powell and J. K. Reid, "On the estimation of sparse Jacobian matrices", 1974).

    Returns
    -------
    callable
        With the arguments of `f`.  For an array result of shape `m` and an array argument of shape `n` it returns an
        array of shape ``(*m, *n)``; for trees, the tree of the result, with the tree of the argument at each leaf.

    Raises
    ------
    DTypeError
        If a complex result has no complex derivative by a complex argument.

    Notes
    -----
    Of complex results by real arguments it is the matrix of complex derivatives.  Of complex results by complex
    arguments it is that too, ``f'(z)``, where there is one: that both parts of the result fulfil the equations of
    Cauchy and Riemann at this point is verified.  The row of a real result by complex arguments is its gradient,
    ``dy/d(Re z) + i dy/d(Im z)``, as `grad` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    if sparse:
        from minigrad.sparse_jacobians import sparse_jacobian  # which needs SciPy

        return sparse_jacobian(f, *_checked(f, argnums, chunk_size, "jacobian"))
    return _matrix(f, argnums, chunk_size, "jacobian", _fewer)


def jacrev(f: Function, argnums: int | Sequence[int] = 0, *, chunk_size: int | None = None) -> Function:
    """`jacobian` by rows, in reverse mode: for many inputs and few outputs.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.jacrev(lambda x: np.sum(x**2))(np.ones(3))
    array([2., 2., 2.])
    """
    return _matrix(f, argnums, chunk_size, "jacrev", _by_rows)


def jacfwd(f: Function, argnums: int | Sequence[int] = 0, *, chunk_size: int | None = None) -> Function:
    """`jacobian` by columns, in forward mode: for few inputs and many outputs.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.jacfwd(lambda t: t * np.ones(3))(2.0)
    array([1., 1., 1.])
    """
    return _matrix(f, argnums, chunk_size, "jacfwd", _by_columns)


def hessian(
    f: Function, argnums: int | Sequence[int] = 0, *, chunk_size: int | None = None, sparse: bool = False
) -> Function:
    """Make a function that returns the matrix of second derivatives of `f`, the Jacobian of its gradient.

    The parameters are those of `jacobian`; `f` returns a single real number.  By complex arguments the gradient seldom
    has a complex derivative, and `jacobian` refuses it then; `hvp` gives the product of all second derivatives with a
    vector.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnums), argnums, chunk_size=chunk_size, sparse=sparse)


Blocks = list[list[Any]]  # for each result, for each variable


def _checked(
    f: Function, argnums: int | Sequence[int], chunk_size: int | None, name: str
) -> tuple[Sequence[int], int | None]:
    """The numbers of the arguments, and the size of parts, if they make sense."""
    if not callable(f):
        raise not_a_function(f, name)
    chunk_size = None if chunk_size is None else whole_number(chunk_size, f"{name}: chunk_size", least=1)
    return _numbers(argnums, name), chunk_size


def _matrix(
    f: Function,
    argnums: int | Sequence[int],
    chunk_size: int | None,
    name: str,
    blocks_of: Callable[[Function, _Run, Sequence[Any], bool, int | None], Blocks],
) -> Function:
    numbers, chunk_size = _checked(f, argnums, chunk_size, name)

    @functools.wraps(f)
    def compute(*args: Any, **kwargs: Any) -> Any:
        run = _Run(f, args, numbers, kwargs)
        outputs, rebuild = _outputs(run.result)
        create = run.outside(outputs)
        blocks = []
        for found in blocks_of(f, run, outputs, create, chunk_size):
            trees = run.present(run.rebuild(found), create)
            blocks.append(trees if isinstance(argnums, Sequence) else trees[0])
        _close(run.variables)
        return rebuild(blocks)

    return compute


def _fewer(f: Function, run: _Run, outputs: Sequence[Any], create: bool, chunk_size: int | None) -> Blocks:
    """By columns if there are far less of them than rows, and all numbers are real."""
    rows, columns = (sum(x.array.size for x in xs) for xs in (outputs, run.variables))
    real = all(x.array.dtype.kind == "f" for x in (*outputs, *run.variables))
    by = _by_columns if real and columns * DEARER < rows and not is_watched() else _by_rows
    return by(f, run, outputs, create, chunk_size)


def _units(value: Any) -> np.ndarray:
    """The arrays of the form of a value with a one in one place and zeros elsewhere."""
    return np.eye(value.size, dtype=value.dtype).reshape(value.size, *value.shape)


def _by_rows(f: Function, run: _Run, outputs: Sequence[Any], create: bool, chunk_size: int | None) -> Blocks:
    blocks = []
    for y in outputs:
        units = _units(y.array)

        def pulled(units: np.ndarray, y: Any = y) -> list[Any]:
            def rows(unit: Any) -> list[Any]:
                return _pull(run.variables, [y], [unit], create, retain=True)

            return each_unit(rows, units, chunk_size)

        found = pulled(units)
        if y.array.dtype.kind == "c":
            found = [_complex(f, *parts) for parts in zip(found, pulled(1j * units), strict=True)]
        shape = y.array.shape
        blocks.append([reshape(g, (*shape, *x.array.shape)) for g, x in zip(found, run.variables, strict=True)])
    return blocks


def _by_columns(f: Function, run: _Run, outputs: Sequence[Any], create: bool, chunk_size: int | None) -> Blocks:
    push = _transposed(run, outputs)
    columns = []
    for i, x in enumerate(run.variables):
        units = _units(x.array)

        def pushed(units: np.ndarray, i: int = i) -> list[Any]:
            def column(unit: Any) -> list[Any]:
                return push([unit if j == i else None for j in range(len(run.variables))], create)

            return each_unit(column, units, chunk_size)

        found = pushed(units)
        if x.array.dtype.kind == "c":
            pairs = zip(found, pushed(1j * units), outputs, strict=True)
            found = [_of_both_parts(f, real, imag, y.array.dtype) for real, imag, y in pairs]
        columns.append([_last(y, x) for y in found])
    return [[column[i] for column in columns] for i in range(len(outputs))]


def _of_both_parts(f: Function, real: Any, imag: Any, dtype: Any) -> Any:
    """The derivative by a complex argument, of those along its real and its imaginary part."""
    if dtype.kind == "f":
        return real + np.multiply(imag, 1j)
    return _complex(f, np.conjugate(real), np.conjugate(-imag))


def _last(y: Any, x: Any) -> Any:
    """Columns, which come first, in the last axes."""
    moved = moveaxis(y, 0, -1)
    return reshape(moved, (*moved.shape[:-1], *x.array.shape))


def _complex(f: Function, real: Any, imag: Any) -> Any:
    """The complex derivative, from the gradients of real and imaginary part: see the notes of `jacobian`."""
    turned = np.multiply(imag, 1j)
    if real.dtype.kind != "c":
        return real + turned
    # With the gradients conj(f') of the real part and i conj(f') of the imaginary part, the two are opposite.
    if not _negligible(unwrap(real + turned), unwrap(real)):
        raise not_holomorphic(f)
    return np.conjugate(real)


def _negligible(difference: Any, scale: Any) -> bool:
    """Whether a difference is rounding only; NaN, which the result shows, says nothing."""
    if not difference.size:
        return True
    limit = np.finfo(difference.dtype).eps ** 0.75 * np.nan_to_num(np.abs(scale)).max()
    return not (np.abs(difference) > limit).any()

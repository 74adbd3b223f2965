"""Every exception that minigrad raises.

::

    MinigradError
    ├── ArgumentError        (ValueError)     an argument whose value makes no sense
    │   ├── ShapeError                        shapes that do not fit the operation
    │   │   └── AxisError    (IndexError)     an axis that the array does not have
    │   └── linalg.LinAlgError (also NumPy's) a matrix that is singular, or not positive definite
    ├── DTypeError           (TypeError)      a dtype or a Python type that cannot be used here
    │   └── UnsupportedError                  a NumPy function, or an argument of one, without a derivative here
    ├── IndexingError        (IndexError)     an index out of range, or one that fits no axis
    ├── GraphError           (RuntimeError)   the graph cannot do what was asked
    │   ├── ReleasedGraphError                backward through a graph that an earlier backward has released
    │   ├── StaleValueError                   a leaf was written to after an operation had used its value
    │   ├── ProgramError                      a function that cannot be a program, or a program run with other forms
    │   └── CutError         (also TypeError) a conversion that would cut the graph without anybody noticing
    ├── AnomalyError         (FloatingPointError, RuntimeError)   NaN or inf under detect_anomaly
    ├── GradcheckError       (RuntimeError)   a derivative that disagrees with finite differences
    ├── StateDictError       (RuntimeError)   a state_dict that does not fit the module
    ├── FileError            (ValueError)     a file that is damaged, or is not what it should be
    ├── WorkerError          (RuntimeError)   a worker of a data loader that died, or did not answer in time
    ├── DistributedError     (RuntimeError)   ranks that do not do the same, or one that has come to its end
    └── MissingPackageError  (ImportError)    an optional package that is not installed

Each is also the built-in exception that users of NumPy or PyTorch would catch.

What the exceptions say is no part of the interface.  The messages that people meet most stand in the files of this
package, once each, one file for each subject.  A message says what happened (the operation, shapes, dtypes, the name of
the Tensor), where (the line, if it is known), and what to write instead.
"""

from typing import NamedTuple

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "AxisError",
    "CutError",
    "DTypeError",
    "DistributedError",
    "FileError",
    "GradcheckError",
    "GraphError",
    "IndexingError",
    "MinigradError",
    "MissingPackageError",
    "ProgramError",
    "ReleasedGraphError",
    "ShapeError",
    "StaleValueError",
    "StateDictError",
    "UnsupportedError",
    "WorkerError",
]


class Part(NamedTuple):
    """Which part of a model an exception came out of."""

    module: int  # the identity of the module that it left last: an exception must not keep models alive
    path: str  # from there to the innermost
    innermost: str  # in words
    note: str  # what the exception says of it


class MinigradError(Exception):
    """The base of all exceptions of this package."""

    part: Part | None = None


class ArgumentError(MinigradError, ValueError):
    """An argument whose value makes no sense."""


class ShapeError(ArgumentError):
    """Shapes that do not fit the operation."""


class AxisError(ShapeError, IndexError):
    """An axis that the array does not have."""


class DTypeError(MinigradError, TypeError):
    """A dtype, or a Python type, that cannot be used here."""


class UnsupportedError(DTypeError):
    """A NumPy function, or an argument of one, that has no derivative here."""


class IndexingError(MinigradError, IndexError):
    """An index out of range, or one that fits no axis."""


class GraphError(MinigradError, RuntimeError):
    """The graph cannot do what was asked of it."""


class ReleasedGraphError(GraphError):
    """A backward pass through a graph that an earlier pass has released."""


class StaleValueError(GraphError):
    """A leaf was written to after an operation had used its value."""


class ProgramError(GraphError):
    """A function that cannot be made a program, or a program that is run with what it was not made for."""


class CutError(GraphError, TypeError):
    """A conversion that would cut the graph without anybody noticing."""


class AnomalyError(MinigradError, FloatingPointError, RuntimeError):
    """NaN or inf appeared under `detect_anomaly`."""


class GradcheckError(MinigradError, RuntimeError):
    """A derivative disagrees with finite differences."""


class StateDictError(MinigradError, RuntimeError):
    """A state_dict does not fit the module."""


class FileError(MinigradError, ValueError):
    """A file is damaged, or is not what it should be."""


class WorkerError(MinigradError, RuntimeError):
    """A worker of a data loader died, or did not answer in time."""


class DistributedError(MinigradError, RuntimeError):
    """Processes that work together do not do the same, or one of them has come to its end."""


class MissingPackageError(MinigradError, ImportError):
    """An optional package is not installed."""

"""Every exception that minigrad raises, and the words of those that people meet most.

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
    │   └── CutError         (also TypeError) a conversion that would cut the graph without anybody noticing
    ├── AnomalyError         (FloatingPointError, RuntimeError)   NaN or inf under detect_anomaly
    ├── GradcheckError       (RuntimeError)   a derivative that disagrees with finite differences
    ├── StateDictError       (RuntimeError)   a state_dict that does not fit the module
    ├── FileError            (ValueError)     a file that is damaged, or is not what it should be
    ├── WorkerError          (RuntimeError)   a worker of a data loader that died, or did not answer in time
    └── MissingPackageError  (ImportError)    an optional package that is not installed

Each is also the built-in exception that users of NumPy or PyTorch would catch.

The messages that people meet most are written here, once each, in one file for each subject.  A message says what
happened (the operation, shapes, dtypes, the name of the Tensor), where (the line, if it is known), and what to write
instead.
"""

from minigrad.errors.backward import (
    bad_hook,
    bad_joint,
    bad_primitive,
    bad_rule,
    no_graph,
    not_a_gradient,
    not_a_real_root,
    not_a_scalar,
    not_finite,
    released,
    stale,
    unused,
    warn_of_no_grad,
    wrong_grad,
    wrong_seed,
)
from minigrad.errors.files import (
    arguments_swapped,
    damaged,
    missing_package,
    no_batch,
    no_data_set,
    other_lengths,
    pickled,
    unknown_ending,
    worker_died,
    worker_late,
)
from minigrad.errors.functions import (
    argnums_not_integers,
    complex_direction,
    no_such_argument,
    not_a_function,
    not_a_real_number,
    not_a_sequence,
    not_differentiable,
    not_holomorphic,
    not_one_number,
    objective_cut,
    objective_not_real,
    objective_of_many,
    other_form,
    same_argument,
    wrong_direction,
)
from minigrad.errors.losses import (
    labels_not_integers,
    labels_of_other_shape,
    no_such_class,
    no_such_reduction,
    not_alike,
    not_probabilities,
    not_real,
    warn_of_activation,
)
from minigrad.errors.modules import (
    indices_not_integers,
    mode_assigned,
    no_forward,
    no_init,
    no_such_path,
    no_such_row,
    no_window,
    not_a_module,
    not_a_state,
    note_module,
    one_value,
    other_axes,
    other_channels,
    other_features,
    state_does_not_fit,
    warn_of_hidden_parts,
)
from minigrad.errors.numpy_functions import (
    unsupported,
    unsupported_arguments,
    unsupported_at,
)
from minigrad.errors.operations import (
    as_operand,
    axes_of,
    explain,
    no_product,
    no_such_axis,
    not_an_index,
    numeric,
)
from minigrad.errors.other_names import (
    OF_OTHER_TENSORS,
    input_to_constructor,
    no_attribute,
    of_other_tensors,
)
from minigrad.errors.tensors import (
    cannot_require_grad,
    cuts_graph,
    leaf_in_place,
    no_item,
    no_number,
    no_truth,
    other_dtype_in_place,
    other_shape_in_place,
)
from minigrad.errors.training import (
    given_twice,
    negative_option,
    no_parameters,
    no_such_option,
    not_a_leaf,
    not_a_list,
    not_a_parameter,
    other_groups,
    other_optimizer,
    warn_of_no_step,
    warn_of_order,
)
from minigrad.errors.tree import (
    AnomalyError,
    ArgumentError,
    AxisError,
    CutError,
    DTypeError,
    FileError,
    GradcheckError,
    GraphError,
    IndexingError,
    MinigradError,
    MissingPackageError,
    ReleasedGraphError,
    ShapeError,
    StaleValueError,
    StateDictError,
    UnsupportedError,
    WorkerError,
)
from minigrad.errors.words import (
    at,
    called,
    defined_at,
    describe,
    listed,
    nearest,
    shapes,
    value_of,
    warn,
)

__all__ = [
    "OF_OTHER_TENSORS",
    "AnomalyError",
    "ArgumentError",
    "AxisError",
    "CutError",
    "DTypeError",
    "FileError",
    "GradcheckError",
    "GraphError",
    "IndexingError",
    "MinigradError",
    "MissingPackageError",
    "ReleasedGraphError",
    "ShapeError",
    "StaleValueError",
    "StateDictError",
    "UnsupportedError",
    "WorkerError",
    "argnums_not_integers",
    "arguments_swapped",
    "as_operand",
    "at",
    "axes_of",
    "bad_hook",
    "bad_joint",
    "bad_primitive",
    "bad_rule",
    "called",
    "cannot_require_grad",
    "complex_direction",
    "cuts_graph",
    "damaged",
    "defined_at",
    "describe",
    "explain",
    "given_twice",
    "indices_not_integers",
    "input_to_constructor",
    "labels_not_integers",
    "labels_of_other_shape",
    "leaf_in_place",
    "listed",
    "missing_package",
    "mode_assigned",
    "nearest",
    "negative_option",
    "no_attribute",
    "no_batch",
    "no_data_set",
    "no_forward",
    "no_graph",
    "no_init",
    "no_item",
    "no_number",
    "no_parameters",
    "no_product",
    "no_such_argument",
    "no_such_axis",
    "no_such_class",
    "no_such_option",
    "no_such_path",
    "no_such_reduction",
    "no_such_row",
    "no_truth",
    "no_window",
    "not_a_function",
    "not_a_gradient",
    "not_a_leaf",
    "not_a_list",
    "not_a_module",
    "not_a_parameter",
    "not_a_real_number",
    "not_a_real_root",
    "not_a_scalar",
    "not_a_sequence",
    "not_a_state",
    "not_alike",
    "not_an_index",
    "not_differentiable",
    "not_finite",
    "not_holomorphic",
    "not_one_number",
    "not_probabilities",
    "not_real",
    "note_module",
    "numeric",
    "objective_cut",
    "objective_not_real",
    "objective_of_many",
    "of_other_tensors",
    "one_value",
    "other_axes",
    "other_channels",
    "other_dtype_in_place",
    "other_features",
    "other_form",
    "other_groups",
    "other_lengths",
    "other_optimizer",
    "other_shape_in_place",
    "pickled",
    "released",
    "same_argument",
    "shapes",
    "stale",
    "state_does_not_fit",
    "unknown_ending",
    "unsupported",
    "unsupported_arguments",
    "unsupported_at",
    "unused",
    "value_of",
    "warn",
    "warn_of_activation",
    "warn_of_hidden_parts",
    "warn_of_no_grad",
    "warn_of_no_step",
    "warn_of_order",
    "worker_died",
    "worker_late",
    "wrong_direction",
    "wrong_grad",
    "wrong_seed",
]

# Exceptions are printed, documented and pickled under the name of the package, whatever file they stand in.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__

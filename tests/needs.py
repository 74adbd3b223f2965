"""What some tests need, and are skipped without."""

import numpy as np
import pytest

from minigrad.errors import MissingPackageError
from minigrad.graph import render


def numpy_before(version):
    """Whether NumPy is older than a version, which has three numbers."""
    return np.lib.NumpyVersion(np.__version__) < version


def since_numpy(version, reason):
    """A mark for what older versions of NumPy do otherwise."""
    return pytest.mark.skipif(numpy_before(version), reason=f"since NumPy {version} {reason}")


def engine_of(module):
    """The package that a module of `export` needs as soon as it is imported; None for most."""
    if module.startswith("minigrad.export.for_jax."):
        return "jax"
    return "onnx" if module in ("minigrad.export.for_onnx.writing", "minigrad.export.for_onnx.verifying") else None


def _graphviz_is_there():
    try:
        render.find_dot()
    except MissingPackageError:
        return False
    return True


needs_graphviz = pytest.mark.skipif(not _graphviz_is_there(), reason="there is no Graphviz")

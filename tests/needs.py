"""What some tests need, and are skipped without."""

import pytest

from minigrad.errors import MissingPackageError
from minigrad.graph import render


def _graphviz_is_there():
    try:
        render.find_dot()
    except MissingPackageError:
        return False
    return True


needs_graphviz = pytest.mark.skipif(not _graphviz_is_there(), reason="there is no Graphviz")

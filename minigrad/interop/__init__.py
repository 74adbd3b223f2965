"""Bridges to other libraries, each imported when it is asked for, since each needs a package that minigrad does not.

`minigrad.interop.sklearn` trains modules as scikit-learn estimators.
"""

from minigrad.later import imported_later

__getattr__ = imported_later(__name__, {"sklearn": ["sklearn"]})
__all__: list[str] = []

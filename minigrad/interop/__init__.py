"""Bridges to other libraries, each imported by its own name, since each needs a package that minigrad does not.

`minigrad.interop.sklearn` trains modules as scikit-learn estimators.
"""

__all__: list[str] = []

"""All rows: each module of the table adds its own when it is imported."""

from tests import (  # noqa: F401  # for their rows
    op_table_fft,
    op_table_linalg,
    op_table_nn,
    op_table_numpy,
    op_table_picking,
    op_table_special,
    op_table_standard,
    op_table_statistics,
)
from tests.op_table import TABLE

__all__ = ["TABLE"]

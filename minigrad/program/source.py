"""A program as a NumPy file: straight-line code that runs by itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigrad.program.equations import Program


def source_of(program: "Program") -> str:
    """The text of the file."""
    return "\n".join(map(repr, program.equations))

"""What programs are made of: families of operations, each family drawn as often as another."""

from tests.fuzz.table import arrays, axes, control, losses, matrices, numbers

FAMILIES = numbers.FAMILIES + axes.FAMILIES + arrays.FAMILIES + matrices.FAMILIES + losses.FAMILIES + control.FAMILIES

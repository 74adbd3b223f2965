"""
A derivative is a graph too
===========================

Rosenbrock's function, its slope, and the slope of its slope, drawn by the same call.
"""

import minigrad as mg


# %%
# The function itself.  At (-1.2, 1), where one usually starts, it is 24.2.
def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


mg.graph.draw(rosenbrock, -1.2, 1.0, show="value", direction="LR", path="rosenbrock.svg")

# %%
# ``mg.grad`` makes a function of a function, and that can be drawn like any other.  What the forward pass computes is
# blue, the operations of the derivative are red.  There are two ways from ``x`` to the result, so the slope is a sum
# of two products.  Of the forward pass, only what they need is drawn: the slope of a square needs what was squared, and
# not the square.
slope = mg.grad(rosenbrock)
mg.graph.draw(slope, -1.2, 1.0, show="value", path="slope.svg")

# %%
# A derivative of any order is drawn like this.  The second has two branches, by the product rule, and what the first
# one computed is part of it.
mg.graph.draw(mg.grad(slope), -1.2, 1.0, show="value", path="curvature.svg")

# sphinx_gallery_thumbnail_number = 2

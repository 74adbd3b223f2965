"""
One expression
==============

The smallest network there is: a neuron with one weight.  Its graph has all that larger ones consist of: values from
left to right, and gradients back.
"""

import minigrad as mg

# %%
# Ellipses are Tensors that require grad; boxes are operations; what was asked for has a thick outline.  Every box says
# its value and its gradient: how much the output grows for each unit that this value grows.  The multiplication passes
# on its gradient times the other operand: to ``w`` it gives 0.5 times -3, and to ``x`` it gives 0.5 times 2.
w = mg.tensor(2.0, requires_grad=True, name="w")
x = mg.tensor(-3.0, requires_grad=True, name="x")
b = mg.tensor(6.88, requires_grad=True, name="b")
y = mg.tanh(w * x + b)

mg.graph.draw(y, show=("value", "grad"), direction="LR", path="neuron.svg")


# %%
# A function is called once, with copies of its inputs, which are drawn as houses.  Numbers stand where they do in the
# call: in ``subtract(_, 1)`` and ``pow(_, 2)`` the line stands for what comes in.  As the function is called here, it
# is also known which line of the program each operation is from.
def error(weight, x):
    guess = weight * x
    return (guess - 1) ** 2


mg.graph.draw(error, 3.0, 2.0, show=("value", "grad", "line"), direction="LR", path="error.svg")


# %%
# A value that is used twice has two arrows, and its gradient is the sum of what comes back along both: here 1 for the
# addition and 5 for the multiplication.
def twice(x):
    return x * 5 + x


mg.graph.draw(twice, 3.0, show=("value", "grad"), direction="LR", path="twice.svg")

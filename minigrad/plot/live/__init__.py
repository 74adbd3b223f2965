"""The page in which gradient descent runs live: what a function is to it, and how it is put together.

`space` says where the page looks, `programs` writes the function and its derivatives as JavaScript, `steppers` the
steps of optimizers, and `exploring` puts them into the page.
"""

__all__: list[str] = []

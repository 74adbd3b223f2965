"""`autograd.builtins`: Python's own, as Tensors need no others."""

import builtins

dict, isinstance, list = builtins.dict, builtins.isinstance, builtins.list
tuple, type = builtins.tuple, builtins.type

"""minigrad."""
from minigrad import autograd, errors
from minigrad.core import *
from minigrad.creation import *
from minigrad.tensor import Tensor
from minigrad.ops.elementwise import *
from minigrad.ops.reductions import *
from minigrad.ops.shaping import *
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.sorting import *
from minigrad.ops.linalg import *

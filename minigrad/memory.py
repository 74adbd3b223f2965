"""Memory of temporaries, kept instead of given back."""

import os

import numpy as np


def keep_freed_memory() -> None:
    """Have the process keep the memory of arrays that are freed, for the next ones.

    A training step allocates and frees the same arrays as the step before.  glibc gives the memory of arrays above
    128 kB back to the operating system as soon as they are freed, and the next step pays for it: the system hands out
    pages of zeros one by one.  That was a third of the time of a convolutional network's step.

    glibc raises its limit, for good, to the size of the largest block that was ever freed.  So one block is allocated
    and freed here, untouched.  Its size is just below the largest that glibc learns from, 32 MiB; up to twice that much
    freed memory then stays with the process.  Elsewhere than on glibc this does nothing; nor does it if the environment
    variable MINIGRAD_KEEP_FREED_MEMORY is 0.
    """
    if os.environ.get("MINIGRAD_KEEP_FREED_MEMORY") != "0":
        np.empty((32 << 20) - (1 << 17), np.uint8)

"""Memory of temporaries, kept instead of given back.

A training step allocates and frees the same arrays as the step before.  glibc gives the memory of arrays above 128 kB
back to the operating system as soon as they are freed, and the next step pays for it: the system hands out pages of
zeros one by one.  That was a third of the time of a convolutional network's step.

glibc raises its limit, for good, to the size of the largest block that was ever freed.  So one block is allocated and
freed here, untouched, when the package is imported.  Its size is just below the largest that glibc learns from, 32 MiB;
up to twice that much freed memory then stays with the process.  Elsewhere than on glibc this does nothing.
"""

import numpy as np

np.empty((32 << 20) - (1 << 17), np.uint8)

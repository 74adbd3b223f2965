"""What `import minigrad` has the allocator do, in processes of their own."""

import os
import platform
import subprocess
import sys

import pytest

# How much smaller the process becomes when an array of 16 MiB is freed, the first large one.
MEASURE = """
import minigrad
import numpy as np

def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1])

array = np.ones(2 << 20)
before = resident()
del array
print((before - resident()) * {page})
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
@pytest.mark.parametrize(("setting", "given_back"), [(None, False), ("1", False), ("0", True)])
def test_freed_memory_stays_with_the_process_unless_the_environment_says_no(setting, given_back):
    environment = {name: value for name, value in os.environ.items() if name != "MINIGRAD_KEEP_FREED_MEMORY"}
    environment |= {"MINIGRAD_KEEP_FREED_MEMORY": setting} if setting else {}
    code = MEASURE.format(page=os.sysconf("SC_PAGE_SIZE"))
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (int(told.stdout) > 8 << 20) == given_back

"""Rank 1 does not come to a barrier in time: ``waiting.py [SECONDS]``."""

import sys
import time

from minigrad import distributed as dist

dist.init_process_group(timeout=0.5)
if dist.get_rank() == 1:
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 5)
dist.barrier()

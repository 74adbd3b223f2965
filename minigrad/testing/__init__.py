"""For tests of what you build on minigrad: assertions, strategies for Hypothesis, and a plugin for pytest.

The plugin, the module `pytest_minigrad`, is there in every run of pytest in an environment where minigrad is installed.
"""

from minigrad.testing import strategies
from minigrad.testing.close import assert_close
from minigrad.testing.gradients import assert_gradients_close

__all__ = ["assert_close", "assert_gradients_close", "strategies"]

"""The rows of NumPy's statistics and numerical functions."""

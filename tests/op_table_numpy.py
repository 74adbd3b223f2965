"""The rows of NumPy's other names."""

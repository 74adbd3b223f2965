"""The rows of special functions."""

"""The rows of Fourier transforms."""

"""The rows of the rest of the Array API standard."""

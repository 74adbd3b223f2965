"""Random programs, run by minigrad and by a small forward-mode interpreter that knows nothing of it.

`duals` is that interpreter, `operations` the table of what programs are made of, `programs` makes them, `checks` has the
ways to a derivative and compares them, `shrinking` makes a short program of a long one.  ``python -m tests.fuzz`` runs it.
"""

"""Random programs, run by minigrad and by a small forward-mode interpreter that knows nothing of it.

`duals` is that interpreter.  `table` says what programs are made of, `operands` how their arguments are drawn, and
`programs` draws and runs them; `ways` has the ways to a derivative, `checks` compares, and `shrinking` makes a short
program of a long one in which something is wrong.  ``python -m tests.fuzz`` runs it all.
"""

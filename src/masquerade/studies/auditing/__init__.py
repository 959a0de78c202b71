"""Auditing a guarantee: plant canaries, look for them in what comes out, and say what ε the mechanism has at least.

`bounds` turns counts of right and wrong guesses into a lower bound on ε; `claim` is what was promised; `pairs` runs a mechanism
many times with and without one canary; `one_run` runs it once with many; `tables` and `models` make canaries and scores for
fitted synthesizers; `findings` is what an audit says.
"""

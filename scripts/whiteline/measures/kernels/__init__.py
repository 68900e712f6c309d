"""Compiled loops of the measures (numba), loaded by those that use them when they run.

Each file stands alone, because numba's cache does not notice an edit in another file: functions
and constants that a kernel takes in are in its own file. Kernels are serial and release the
interpreter lock; threads belong outside, over queries.
"""

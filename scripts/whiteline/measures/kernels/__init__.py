"""Compiled loops of the measures (numba), loaded by those that use them when they run.

Each file stands alone, because numba's cache does not notice an edit in another file: functions
and constants that a kernel takes in are in its own file. Kernels are serial and release the
interpreter lock; threads belong outside, over queries.
"""

import sys


def _numba_without(module: str) -> None:
    """Let numba take this module for absent while it makes itself ready, if nothing imported it.

    numba asks for the products of scipy only to know whether it need write inner products itself,
    and a job would wait a quarter of a second for them. Where a compiled function multiplies
    matrices, numba asks again and finds them as ever.
    """
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if hidden:
            del sys.modules[module]


_numba_without("scipy.linalg.cython_blas")

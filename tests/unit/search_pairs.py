"""What a search keeps of its pairs."""

import numpy as np


def survives(index, asked, column, distance):
    """Whether every query keeps a column of the library at its own distance."""
    lowest = asked.lowest(index._whole, 0)
    every = np.zeros(len(distance), dtype=np.int64)
    nothing = np.zeros(len(distance) + 1, dtype=np.int64), every[:0]
    found = index._survivors(asked, lowest, index._whole, every, distance, nothing)
    return all(column in part for part in np.split(found[1], found[0][1:-1]))

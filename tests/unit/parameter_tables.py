"""Libraries of parameters alone, for estimators that look at no spectrum."""

import numpy as np

from whiteline.estimators import Library


def library_of(table):
    """A library without spectra from columns of valence, 10Dq and other parameters."""
    columns = {name: np.asarray(values, float) for name, values in table.items()}
    valence = columns.pop("valence")
    reference = columns.pop("is_reference", np.zeros(len(valence)))
    return Library(valence, columns, reference == 1)

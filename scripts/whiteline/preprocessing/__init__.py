"""Prepares recorded spectra for comparison, one module per step, in this order.

`glitches`, `smoothing`, `edge` (where L3 is), `background`, `continuum`, `resampling` onto the
library's axis and `normalisation`. Each works on one record: energies (eV) and signal, (samples,).
"""

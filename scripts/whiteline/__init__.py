"""Whiteline: valence and crystal field of 3d ions from their L2,3 spectra."""

__version__ = "0.1.0"

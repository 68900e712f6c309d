"""Estimates of any measured file: single spectra, stacks, maps, many files, a folder to watch.

`estimator.Estimator` reads spectra by a prepared library, as the workflow does. `series` is its
way with many spectra on one axis. `session` goes through files and can be resumed; `output` writes
tables and maps.
"""

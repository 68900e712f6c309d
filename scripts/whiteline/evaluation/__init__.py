"""Honest evaluation: test spectra with known truth, scores, baselines and ranking."""

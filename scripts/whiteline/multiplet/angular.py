"""Angular algebra of one electron."""

from __future__ import annotations

from functools import cache
from math import factorial, sqrt


@cache
def wigner_3j(j1: int, j2: int, j3: int, m1: int, m2: int, m3: int) -> float:
    """Wigner 3j symbol of integer angular momenta, by Racah's formula.

    Edmonds, *Angular Momentum in Quantum Mechanics* (1957), eq. 3.6.10 and 3.7.3.
    """
    if m1 + m2 + m3 or abs(m1) > j1 or abs(m2) > j2 or abs(m3) > j3:
        return 0.0
    if not abs(j1 - j2) <= j3 <= j1 + j2:
        return 0.0
    first = max(0, j2 - j3 - m1, j1 - j3 + m2)
    last = min(j1 + j2 - j3, j1 - m1, j2 + m2)
    total = 0.0
    for t in range(first, last + 1):
        total += (-1) ** t / (
            factorial(t)
            * factorial(j1 + j2 - j3 - t)
            * factorial(j1 - m1 - t)
            * factorial(j2 + m2 - t)
            * factorial(j3 - j2 + m1 + t)
            * factorial(j3 - j1 - m2 + t)
        )
    triangle = factorial(j1 + j2 - j3) * factorial(j1 - j2 + j3) * factorial(j2 + j3 - j1)
    norm = triangle / factorial(j1 + j2 + j3 + 1)
    for j, m in ((j1, m1), (j2, m2), (j3, m3)):
        norm *= factorial(j + m) * factorial(j - m)
    return (-1) ** (j1 - j2 - m3) * sqrt(norm) * total


def gaunt(k: int, q: int, l_left: int, m_left: int, l_right: int, m_right: int) -> float:
    """Matrix element <l_left m_left| C^k_q |l_right m_right> of the renormalised harmonic.

    Condon and Shortley phases. Cowan, *The Theory of Atomic Structure and Spectra* (1981),
    eq. 11.22 and 11.23.
    """
    reduced = sqrt((2 * l_left + 1) * (2 * l_right + 1)) * wigner_3j(l_left, k, l_right, 0, 0, 0)
    return (-1) ** m_left * reduced * wigner_3j(l_left, k, l_right, -m_left, q, m_right)

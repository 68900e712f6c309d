"""Reads TTMULT: plotted curves with sticks (``.xy``), and the transitions of RAC and BANDER.

The programs are Cowan's RCG, Butler's and Searle's RAC, and BANDER by Thole and Kotani, as in
Thole et al., Phys. Rev. B 32, 5107 (1985) and Okada and Kotani, J. Phys. Soc. Jpn. 61, 4619
(1992). CTM4XAS keeps the outputs of the last two as ``.ora`` and ``.oba``.

- ``.xy``: energy and intensity, then, after the line ``Sticks``, the same for the sticks.
- ``.ora``, ``.rac_out``, ``.oba``, ``.ban_out``: blocks of transitions from states of one irrep to
  those of another (``TRANSFORMED MATRIX``), rows by initial energy, columns by final energy, eV.
  BANDER writes one initial state per block. Values are intensities, or where one of them is
  negative reduced matrix elements, whose squares are (checked against the ``.xy`` beside them).
  Each initial state is populated by Boltzmann's factor. In the chain that ends in C4 the operator
  -1- is q = -1 (right), 0- parallel, 1- left; else the spectrum is isotropic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from whiteline.errors import InputError
from whiteline.outputs import base
from whiteline.simulation import BOLTZMANN, NEGLIGIBLE, POLARISATIONS, UNPOPULATED, merge

ENDINGS = (".xy", ".ora", ".rac_out", ".oba", ".ban_out")

_STICKS = re.compile(r"(Sticks)")
_BLOCK = re.compile(
    r"TRANSFORMED MATRIX FOR\s+TRIAD\s*\d*\s*\(\s*(\S+)\s+(\S+)\s+(\S+)\s*\)\s*"
    r"\(\s*(\d+)\*\s*(\d+)\).*",
    re.IGNORECASE,
)
_FINAL = re.compile(r"BRA/KET\s*:(.*)")
_INITIAL = re.compile(r"([+-]?\d+\.\d+):(.*)")
_OPERATORS = {"-1-": "right", "0-": "parallel", "1-": "left"}


@dataclass
class _Block:
    """Transitions of one operator: sizes, and columns as they come, some (``width``) at a time."""

    line: int
    operator: str
    shape: tuple[int, int]
    width: int = 0
    final: list[float] = field(default_factory=list)
    initial: list[list[float]] = field(default_factory=list)
    parts: list[list[list[float]]] = field(default_factory=list)


def recognises(path: Path, lines: list[base.Numbered]) -> bool:
    """Whether the file is of TTMULT: by its ending, a block, or the line before the sticks."""
    if path.suffix.lower() in ENDINGS[1:]:
        return True
    return any(_STICKS.fullmatch(text.strip()) or _BLOCK.match(text.strip()) for _, text in lines)


def read(path: Path, temperature: float) -> base.Calculated:
    """The curve with its sticks, or the sticks of all transitions at a temperature (K).

    Raises
    ------
    InputError
        If the file is none of these, or truncated.
    """
    lines = base.numbered_lines(path)
    if path.suffix.lower() in ENDINGS[1:] or any(_BLOCK.match(text.strip()) for _, text in lines):
        return _transitions(path, lines, temperature)
    parts = [part for _, part in base.sections(lines, _STICKS)]
    if len(parts) > 2:
        raise InputError(f"{path}: has the line 'Sticks' {len(parts) - 1} times; once is right")
    table, places = base.rows(path, parts[0], 2)
    curve = base.curve(path, table[:, 0], places, intensity=table[:, 1])
    if len(parts) == 1 or not parts[1]:
        return base.Calculated("ttmult", curve)
    drawn, _ = base.rows(path, parts[1], 2)
    return base.Calculated("ttmult", curve, base.sticks(path, drawn[:, 0], drawn[:, 1]))


def _transitions(path: Path, lines: list[base.Numbered], temperature: float) -> base.Calculated:
    blocks = _blocks(path, lines)
    if not blocks:
        raise InputError(
            f"{path}: holds no transformed matrices; RAC writes them where PRINTTRANS asks for it"
        )
    if not any(text.strip().endswith("FINISHED") for _, text in lines[-3:]):
        raise InputError(f"{path}: does not end with FINISHED; is it truncated?")
    values = [np.hstack([np.array(part) for part in block.parts]) for block in blocks]
    notes = ()
    if min(value.min() for value in values) < 0:
        values = [value**2 for value in values]
        notes = ("matrix elements were squared",)
    initial = [np.array(block.initial[0]) for block in blocks]
    lowest = min(energies.min() for energies in initial)
    weighted = [
        _weighted(energies, lowest, temperature)[:, None] * value
        for energies, value in zip(initial, values, strict=True)
    ]
    energy = np.concatenate(
        [
            (np.array(block.final) - energies[:, None]).ravel()
            for block, energies in zip(blocks, initial, strict=True)
        ]
    )
    intensity = np.concatenate([value.ravel() for value in weighted])
    operators = np.repeat([b.operator for b in blocks], [value.size for value in weighted])
    if set(operators) != set(_OPERATORS):
        kept = merge(energy, intensity, NEGLIGIBLE)
        sticks = base.sticks(path, kept.energy, kept.intensity)
    else:
        shown = intensity > NEGLIGIBLE * intensity.max()
        names = np.array([_OPERATORS[operator] for operator in operators[shown]])
        components = intensity[shown, None] * (names[:, None] == np.array(POLARISATIONS))
        sticks = base.sticks(path, energy[shown], components=components)
    return base.Calculated("ttmult", sticks=sticks, notes=notes)


def _weighted(energies: np.ndarray, lowest: float, temperature: float) -> np.ndarray:
    """Population of initial states against that of the lowest, none where it is negligible."""
    weight = np.exp((lowest - energies) / (BOLTZMANN * temperature))
    return np.where(weight > UNPOPULATED, weight, 0.0)


def _blocks(path: Path, lines: list[base.Numbered]) -> list[_Block]:
    blocks: list[_Block] = []
    for line, text in lines:
        text = text.strip()
        if found := _BLOCK.match(text):
            blocks.append(_Block(line, found[2], (int(found[4]), int(found[5]))))
        elif not blocks:
            continue
        elif found := _FINAL.match(text):
            _check_columns(path, line, blocks[-1])
            energies = [base.number(path, line, cell) for cell in found[1].split()]
            blocks[-1].final += energies
            blocks[-1].width = len(energies)
            blocks[-1].initial.append([])
            blocks[-1].parts.append([])
        elif (found := _INITIAL.match(text)) and blocks[-1].parts:
            _add_row(path, line, blocks[-1], found)
    for block in blocks:
        _check_columns(path, block.line, block)
        if len(block.final) != block.shape[1] or not block.parts:
            raise InputError(
                f"{path}, line {block.line}: the block has {len(block.final)} of "
                f"{block.shape[1]} columns; is the file truncated?"
            )
    return blocks


def _add_row(path: Path, line: int, block: _Block, found: re.Match) -> None:
    cells = found[2].split()
    if len(cells) != block.width:
        raise InputError(
            f"{path}, line {line}: has {len(cells)} values where {block.width} final states stand "
            "above; is the file truncated?"
        )
    block.initial[-1].append(float(found[1]))
    block.parts[-1].append([base.number(path, line, cell) for cell in cells])


def _check_columns(path: Path, line: int, block: _Block) -> None:
    """Each set of columns must have a row for each initial state."""
    for part in block.parts:
        if len(part) != block.shape[0]:
            raise InputError(
                f"{path}, line {line}: {len(part)} of {block.shape[0]} initial states stand "
                "before this line; is the file truncated?"
            )

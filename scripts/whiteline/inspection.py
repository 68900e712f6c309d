"""Says what a measured spectrum holds before anything is compared with it.

Which 2p edge, how far its axis is off, how strong the noise, what lies before the edge, and what
would spoil a comparison. All thresholds were set on the measured spectra that the tests name.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_opening, median_filter

from whiteline.atomic import RESOURCES, edge_energy, edge_splitting, elements
from whiteline.errors import InputError
from whiteline.formats import Collection, Recorded
from whiteline.preprocessing.edge import edge_onset, noise

# Measured axes are off by this much, eV, and the maximum of L3 lies up to 5 eV above the binding
# energy by itself.
AXIS_ERROR = (-20.0, 14.0)
LIKELY_ERROR = 6.0
# White lines are narrower, steps and backgrounds wider than this, eV.
LINE = 14.0
SMOOTHING = 0.4
# Smoothing moves a maximum by less than this, eV.
SMOOTHED = 0.8
# A line must stand this many deviations of the smoothed noise above its surroundings, ...
OUT_OF_NOISE = 10.0
# (which is taken from this range of energies, eV)
NOISE_OVER = 40.0
# ... and reach this share of the highest line of the spectrum.
SHARE = 0.15
# L2 lies this near its expected distance from L3, eV, and is at least this share of it.
SPLITTING_ERROR, LEAST_L2 = 2.5, 0.08
# Where the spectrum ends before L2, L3 must be this share of the highest line.
LONE_L3 = 0.5
# So many equal values in a row at the maximum are a detector's limit.
CLIPPED = 5
# What lies nearer than this after the edge overlaps with it, eV; K edges begin before their
# tabulated energies, where molecules and oxides have their first line.
OVERLAP, BEFORE_EDGE = 12.0, 15.0
# The first lines of a K edge lie up to this far before its tabulated energy, and its oscillations
# are strong up to this far after it, eV.
K_FIRST, K_AFTER = 22.0, 30.0
# Backgrounds are fitted up to this far before the onset, eV, need so many points, and reach no
# farther down than this, eV.
BEFORE_ONSET, BACKGROUND_POINTS, FITTED = 3.0, 8, 60.0


@dataclass(frozen=True)
class Edge:
    """L2,3 edges found, eV: ``onset`` and maximum of L3, of L2 (NaN if not seen), and how far L3's
    maximum lies above the tabulated binding energy of ``element``.
    """

    element: str
    onset: float
    l3: float
    l2: float
    offset: float

    @property
    def splitting(self) -> float:
        """Distance of L2 from L3, eV."""
        return self.l2 - self.l3


@dataclass(frozen=True)
class Background:
    """What lies before the edge: ``kind`` (none, flat, linear or power law), its change over the
    fitted range in heights of the white line, and the exponent of a power law. Called with
    energies (eV), it gives its values there.
    """

    kind: str
    change: float
    exponent: float
    values: Callable[[np.ndarray], np.ndarray] = field(repr=False)

    def __call__(self, energy: np.ndarray) -> np.ndarray:
        """Values at ``energy`` (eV), same shape."""
        return self.values(energy)


@dataclass(frozen=True)
class Inspection:
    """What a spectrum holds.

    Attributes
    ----------
    low, high, step
        Range and median step of the energies, eV.
    uniform
        Whether all steps agree within 1 %.
    edge
        The strongest L2,3 edges, ``None`` if none stand out of the noise.
    others
        Further edges of 3d elements that are seen.
    snr
        Height of L3 over the deviation of the noise of one point; infinite if there is no noise.
    clipped
        Energies (eV) between which the signal stays at its maximum, if it does.
    background
        Before the edge; ``None`` if the spectrum does not reach so far down.
    in_range
        Tabulated edges of other shells within the energies, and their energies, eV.
    overlapping
        Those that fall on the L2,3 edges.
    """

    low: float
    high: float
    step: float
    uniform: bool
    edge: Edge | None
    others: tuple[Edge, ...]
    snr: float
    clipped: tuple[float, float] | None
    background: Background | None
    in_range: tuple[tuple[str, float], ...]
    overlapping: tuple[str, ...]


def inspect(energy: np.ndarray, intensity: np.ndarray) -> Inspection:
    """Look at one spectrum.

    Parameters
    ----------
    energy, intensity
        (points,), eV ascending and unique, white line positive.
    """
    steps = np.diff(energy)
    found = find_edges(energy, intensity)
    edge = found[0] if found else None
    background = None if edge is None else _background(energy, intensity, edge)
    in_range = tuple((name, e) for name, e in other_edges() if energy[0] < e < energy[-1])
    return Inspection(
        low=float(energy[0]),
        high=float(energy[-1]),
        step=float(np.median(steps)),
        uniform=bool(np.ptp(steps) <= 0.02 * np.median(steps)),
        edge=edge,
        others=tuple(found[1:]),
        snr=_snr(energy, intensity, edge, background),
        clipped=clipped(energy, intensity),
        background=background,
        in_range=in_range,
        overlapping=() if edge is None else _overlapping(edge, energy),
    )


def check(energy: np.ndarray, intensity: np.ndarray, element: str) -> None:
    """Refuse a spectrum that can't be compared with a library of an element.

    Raises
    ------
    InputError
        If the energies miss the edge, the signal is clipped, or another element's edge is seen
        where the element's own is not.
    """
    l3 = edge_energy(element) - edge_splitting(element) / 3
    if energy[-1] < l3 + AXIS_ERROR[0] or energy[0] > l3 + edge_splitting(element):
        keV = 1000 * energy[0] < l3 < 1000 * energy[-1]
        raise InputError(
            f"no edge of {element} in range: the energies {energy[0]:g}..{energy[-1]:g} eV miss "
            f"L3 at {l3:g} eV" + ("; are they in keV?" if keV else "")
        )
    if flat := clipped(energy, intensity):
        raise InputError(
            f"the signal is saturated: it stays at its maximum from {flat[0]:.1f} to "
            f"{flat[1]:.1f} eV"
        )
    found = find_edges(energy, intensity)
    if found and element not in [edge.element for edge in found]:
        other = found[0]
        raise InputError(
            f"no L2,3 edges of {element} are seen, but those of {other.element} "
            f"(L3 at {other.l3:.1f} eV); is it the wrong element?"
        )


def find_edges(energy: np.ndarray, intensity: np.ndarray) -> list[Edge]:
    """The L2,3 edges of 3d elements, the strongest first; empty if none stand out of the noise.

    Lines are what a morphological opening removes: narrower than `LINE`. The main element is the
    one whose L3 and L2 are strong, at their distance, and near their tabulated place. The axis is
    then off by the same for all others, which must lie near theirs.
    """
    grid, lines, level = _lines(energy, intensity)
    if not (lines > level).any():
        return []
    main = max(
        (found for name in elements() if (found := _pair(grid, lines, name, AXIS_ERROR, level))),
        key=lambda pair: pair[0],
        default=None,
    )
    if main is None:
        return []
    _, element, l3, l2 = main
    edges = [_edge(energy, intensity, element, l3, l2)]
    around = (edges[0].offset - 4.0, edges[0].offset + 4.0)
    for name in elements():
        pair = None if name == element else _pair(grid, lines, name, around, level)
        if pair is not None and abs(pair[2] - l3) > LINE and np.isfinite(pair[3]):
            edges.append(_edge(energy, intensity, *pair[1:]))
    return edges


def clipped(energy: np.ndarray, intensity: np.ndarray) -> tuple[float, float] | None:
    """Energies (eV) between which the signal stays at its maximum for `CLIPPED` points."""
    top = np.flatnonzero(intensity == intensity.max())
    runs = np.split(top, np.flatnonzero(np.diff(top) > 1) + 1)
    longest = max(runs, key=len)
    if len(longest) < CLIPPED:
        return None
    return float(energy[longest[0]]), float(energy[longest[-1]])


@cache
def other_edges() -> tuple[tuple[str, float], ...]:
    """Edges of other shells between 250 and 1000 eV that samples of 3d ions often have, by energy.

    Binding energies of the X-ray Data Booklet, table 1-1.
    """
    with (RESOURCES / "other_edges.csv").open(newline="", encoding="utf-8") as stream:
        rows = [(row["edge"], float(row["energy"])) for row in csv.DictReader(stream)]
    return tuple(sorted(rows, key=lambda row: row[1]))


def _lines(energy: np.ndarray, intensity: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uniform energies (eV), what is narrow in the smoothed signal, and the level of its noise."""
    step = max(float(np.median(np.diff(energy))), np.ptp(energy) / 20_000)
    grid = np.arange(energy[0], energy[-1] + step / 2, step)
    scaled = intensity / np.abs(intensity).max()
    signal = np.interp(grid, energy, scaled)
    # Rough noise is smoothed more, since a line of 1 eV carries so many counts only.
    sigma = SMOOTHING / step
    size = min(max(3, round(LINE / step)), len(grid) - 1)
    # Continued at its slope, or a falling background would stand out at its beginning.
    longer = np.pad(signal, size, mode="reflect", reflect_type="odd")
    smooth = gaussian_filter1d(longer, sigma, mode="nearest")
    lines = (smooth - grey_opening(smooth, size, mode="nearest"))[size:-size]
    kept = min(1.0, 1 / np.sqrt(2 * np.sqrt(np.pi) * max(sigma, 0.3)))
    # Noise of counts falls along a spectrum as the counts do.
    rough = np.abs(np.diff(scaled, 2))
    local = median_filter(rough, max(3, round(NOISE_OVER / step)), mode="reflect")
    deviation = np.interp(grid, energy[1:-1], local) / 0.6745 / np.sqrt(6)
    return grid, lines, OUT_OF_NOISE * kept * deviation


def _pair(
    grid: np.ndarray,
    lines: np.ndarray,
    element: str,
    error: tuple[float, float],
    level: np.ndarray,
) -> tuple[float, str, float, float] | None:
    """Score, element, and places (eV) of L3 and L2 where both are best seen; L2 may be out of
    range (NaN), but not lack where it should be.
    """
    splitting = edge_splitting(element)
    table = edge_energy(element) - splitting / 3
    inside = (grid >= table + error[0]) & (grid <= table + error[1]) & (lines > level)
    peaks = np.flatnonzero(inside[1:-1] & (lines[1:-1] >= lines[:-2]) & (lines[1:-1] > lines[2:]))
    best = None
    for peak in peaks + 1:
        if _oscillation(grid, lines, peak):
            continue
        near = np.abs(grid - grid[peak] - splitting) <= SPLITTING_ERROR
        place, height = float("nan"), LEAST_L2 * lines[peak]
        if lines[peak] < (SHARE if near.any() else LONE_L3) * lines.max():
            continue
        if near.any():
            at = np.flatnonzero(near)[lines[near].argmax()]
            place, height = float(grid[at]), float(lines[at])
            if height < LEAST_L2 * lines[peak]:
                continue
        middle = sum(error) / 2 if error != AXIS_ERROR else 2.0
        likely = np.exp(-0.5 * ((grid[peak] - table - middle) / LIKELY_ERROR) ** 2)
        score = (lines[peak] + min(height, lines[peak])) * likely
        if best is None or score > best[0]:
            best = (float(score), element, float(grid[peak]), place)
    return best


def _oscillation(grid: np.ndarray, lines: np.ndarray, peak: int) -> bool:
    """Whether a line is one of the oscillations after a K edge: lower than half of its first."""
    for name, place in other_edges():
        first = (grid > place - K_FIRST) & (grid < place + 5.0)
        if name.endswith(" K") and place - K_FIRST < grid[peak] < place + K_AFTER and first.any():
            return bool(lines[peak] < 0.5 * lines[first].max())
    return False


def _edge(energy: np.ndarray, intensity: np.ndarray, element: str, l3: float, l2: float) -> Edge:
    splitting = edge_splitting(element)
    try:
        onset = edge_onset(energy, intensity, l3 - LINE, l3 + splitting + LINE)
    except InputError:
        onset = l3
    near = np.abs(energy - l3) <= max(SMOOTHED, np.median(np.diff(energy)))
    # Smoothing has moved the maximum, and may have merged two.
    l3 = float(energy[near][intensity[near].argmax()])
    table = edge_energy(element) - splitting / 3
    return Edge(element, min(onset, l3), l3, l2, l3 - table)


def _background(energy: np.ndarray, intensity: np.ndarray, edge: Edge) -> Background | None:
    """The simplest shape that describes what lies before the edge, within `FITTED` eV of it.

    A constant, unless a straight line removes a change that is more than the noise; a power law,
    if the signal is positive, falls, and a line is not clearly better.
    """
    end = edge.onset - BEFORE_ONSET
    before = (energy < end) & (energy > end - FITTED)
    if before.sum() < BACKGROUND_POINTS:
        return None
    x, y = energy[before], intensity[before]
    near = np.abs(energy - edge.l3) < 1.0
    line = np.polynomial.Polynomial.fit(x, y, 1)
    height = float(intensity[near].max() - line(edge.l3))
    constant = Background("flat", 0.0, 0.0, lambda e: np.full(np.shape(e), y.mean()))
    rest = y - line(x)
    change = float(line(x[-1]) - line(x[0]))
    # Two deviations of the mean of either half.
    doubt = 2 * rest.std() / np.sqrt(len(x) / 2)
    if abs(change) < max(doubt, 0.02 * abs(height)):
        return constant
    if change < 0 < y.min():
        slope, offset = np.polyfit(np.log(x), np.log(y), 1)

        def power(e: np.ndarray) -> np.ndarray:
            return np.exp(offset + slope * np.log(np.clip(e, 1.0, None)))

        # What falls as counts do is a power law unless a line is clearly better.
        if np.std(y - power(x)) < 1.05 * rest.std():
            return Background("power law", change / height, float(-slope), power)
    return Background("linear", change / height, 0.0, line)


def _snr(
    energy: np.ndarray,
    intensity: np.ndarray,
    edge: Edge | None,
    background: Background | None,
) -> float:
    """Height of L3 (of the whole signal without an edge) over the noise near it."""
    if edge is None:
        height, near = np.ptp(intensity), np.ones(len(energy), dtype=bool)
    else:
        base = background(np.array(edge.l3)) if background else intensity.min()
        height = intensity[np.abs(energy - edge.l3) < 1.0].max() - base
        # Noise of counts grows with the background, which may change over a long spectrum.
        near = np.abs(energy - edge.l3) < 40.0
    deviation = noise(intensity[near])
    return float(height / deviation) if deviation > 0 else float("inf")


def _overlapping(edge: Edge, energy: np.ndarray) -> tuple[str, ...]:
    """Tabulated edges of other shells that fall on the L2,3 edges, on the axis as it stands."""
    low = edge.onset - BEFORE_ONSET
    high = edge.l3 + edge_splitting(edge.element) + OVERLAP
    names = []
    for name, place in other_edges():
        begins = place - BEFORE_EDGE if name.endswith(" K") else place
        if low < begins < high and energy[0] < place < energy[-1] + BEFORE_EDGE:
            names.append(name)
    return tuple(names)


def describe(collection: Collection, mean: Recorded, found: Inspection) -> str:
    """What a file holds in lines of text, ``name: facts``.

    Parameters
    ----------
    collection, mean
        Of `whiteline.formats.read_spectra`, and the mean of its spectra.
    found
        What `inspect` says of the mean.
    """
    step = f"step {found.step:.4g} eV" + ("" if found.uniform else " in the median, not uniform")
    facts = {
        "file": f"{collection.where} ({collection.format})",
        "spectra": _spectra(collection),
        "energy": f"{found.low:.2f} to {found.high:.2f} eV, {len(mean.energy)} points, {step}",
        **_edge_facts(found),
        "noise": _noise_fact(found, len(collection)),
        "background": _background_fact(found.background),
        "signal": _signal_fact(found),
        **({"overlap": _overlap_fact(found)} if found.overlapping else {}),
        "in range": ", ".join(f"{name} {place:g}" for name, place in found.in_range),
        "changed": "; ".join(mean.notes),
    }
    return "".join(f"{name + ':':12}{fact}\n" for name, fact in facts.items() if fact)


def _spectra(collection: Collection) -> str:
    count = len(collection)
    if collection.shape is not None:
        size = " x ".join(map(str, collection.shape))
        return f"{count}, a map of {size}; what follows is of their mean"
    if count > 1:
        return f"{count}, from {collection.id(0)} on; what follows is of their mean"
    return f"1, {collection.id(0)}"


def _edge_facts(found: Inspection) -> dict[str, str]:
    edge = found.edge
    if edge is None:
        return {
            "edge": "no L2,3 edges of Sc to Cu stand out"
            + ("; are the energies in keV?" if found.high < 20.0 else "")
        }
    expected = edge_splitting(edge.element)
    l2 = f"L2 at {edge.l2:.2f} eV, {edge.splitting:.2f} above L3 (2p levels: {expected:.1f})"
    facts = {
        "edge": f"{edge.element} L2,3: onset {edge.onset:.2f} eV, L3 at {edge.l3:.2f} eV, "
        + (l2 if np.isfinite(edge.l2) else "L2 beyond the end"),
        "element": f"{edge.element}; L3 lies {edge.offset:+.1f} eV from its 2p3/2 binding energy "
        f"(+1 to +5 is usual)",
    }
    if found.others:
        facts["also"] = ", ".join(f"{e.element} L3 at {e.l3:.2f} eV" for e in found.others)
    return facts


def _noise_fact(found: Inspection, spectra: int) -> str:
    what = "L3 height" if found.edge else "range of the signal"
    of = " of the mean" if spectra > 1 else ""
    if not np.isfinite(found.snr):
        return "none to be seen"
    return f"{what} / deviation of a point = {found.snr:.0f}{of}"


def _background_fact(background: Background | None) -> str:
    if background is None:
        return "not known: too few points before the edge"
    if background.kind == "flat":
        return "flat before the edge"
    shape = f" E^-{background.exponent:.1f}" if background.kind == "power law" else ""
    way = "rises" if background.change > 0 else "falls"
    return f"{background.kind}{shape}; {way} by {abs(background.change):.0%} of L3 before the edge"


def _signal_fact(found: Inspection) -> str:
    if found.clipped is None:
        return "not clipped"
    low, high = found.clipped
    return f"saturated: it stays at its maximum from {low:.2f} to {high:.2f} eV"


def _overlap_fact(found: Inspection) -> str:
    names = " and ".join(found.overlapping)
    return f"{names} would fall on {found.edge.element} L2,3, if the sample has it"

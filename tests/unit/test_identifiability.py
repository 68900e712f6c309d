"""The Cramer-Rao bound of 10Dq against its limits and against the scatter of estimates."""

import numpy as np
import pytest
from scipy.stats import qmc

from whiteline import contracts
from whiteline.evaluation.identifiability import Identifiability

ENERGY = np.arange(0.0, 20.0, 0.1)
TEN_DQ = np.arange(0.5, 1.55, 0.1)
SLATER = np.array([0.7, 0.8, 0.9])
WIDTHS = np.array([0.4, 0.6])


def line(centre, width):
    return np.exp(-((ENERGY - centre) ** 2) / (2 * width**2))


def two_lines(ten_dq, slater, width):
    """The second line moves with 10Dq, the third with the Slater reduction."""
    return line(5, width) + 0.7 * line(8 + ten_dq, width) + 0.5 * line(13 + 4 * slater, width)


def made(shape):
    """A library of spectra ``shape(ten_dq, slater, width)`` on the grid of these parameters."""
    grids = np.meshgrid(TEN_DQ, SLATER, WIDTHS, indexing="ij")
    ten_dq, slater, width = (axis.ravel() for axis in grids)
    count = len(ten_dq)
    return contracts.dataset(
        "spectra",
        {
            "intensity": np.stack([shape(*p) for p in zip(ten_dq, slater, width, strict=True)]),
            "energy": ENERGY,
            "id": np.arange(count).astype(str),
            "ion": ["Mn2+"] * count,
            "symmetry": ["Oh"] * count,
            "polarisation": ["isotropic"] * count,
            "valence": np.full(count, 2.0),
            "ten_dq": ten_dq,
            "slater_reduction": slater,
            "slater_reduction_pd": slater,
            "gaussian_sigma": width,
            "scenario": [""] * count,
            "leave_out": np.zeros(count),
            "energy_shift": np.zeros(count),
        },
    )


def row_of(library, ten_dq=1.0, slater=0.8, width=0.4):
    near = [
        np.isclose(library[name], value)
        for name, value in (
            ("ten_dq", ten_dq),
            ("slater_reduction", slater),
            ("gaussian_sigma", width),
        )
    ]
    (row,) = np.flatnonzero(np.all(near, axis=0))
    return row


def bound(library, row, scale=1.0, noise=0.01):
    queries = scale * library["intensity"].values[[row]] + 0.1
    return Identifiability(library).bound(np.array([row]), queries, np.array([noise]))[0]


def test_the_bound_grows_as_the_noise_and_falls_as_the_signal():
    library = made(two_lines)
    row = row_of(library)
    one = bound(library, row)
    assert one > 0
    assert bound(library, row, noise=0.03) == pytest.approx(3 * one)
    assert bound(library, row, scale=5.0) == pytest.approx(one / 5)


@pytest.mark.parametrize(
    "shape",
    [
        lambda ten_dq, slater, width: line(5, width) + line(10 + slater, width),
        lambda ten_dq, slater, width: (1 + ten_dq) * two_lines(1.0, slater, width),
        lambda ten_dq, slater, width: ten_dq + two_lines(1.0, slater, width),
        lambda ten_dq, slater, width: two_lines(ten_dq + slater, 0.8, width),
    ],
    ids=["nothing", "the scale", "the constant", "what the Slater reduction does"],
)
def test_where_10dq_changes_nothing_of_its_own_it_has_no_bound(shape):
    library = made(shape)
    row = row_of(library)
    assert np.isinf(bound(library, row))


def test_a_rigid_shift_tells_less_than_the_same_lines_on_a_known_axis():
    moving = made(lambda ten_dq, slater, width: line(8 + ten_dq, width))
    library = made(two_lines)
    # To first order a shift; finite differences leave a trace.
    assert bound(moving, row_of(moving)) > 20 * bound(library, row_of(library))


def test_at_the_ends_of_the_grid_there_is_a_bound_too():
    library = made(two_lines)
    inside, end = (bound(library, row_of(library, ten_dq)) for ten_dq in (1.0, 1.5))
    assert end == pytest.approx(inside, rel=0.1)


def test_without_another_10dq_and_for_references_it_is_not_known():
    library = made(two_lines)
    single = library.isel(spectrum=np.flatnonzero(np.isclose(library["ten_dq"], 1.0)))
    assert np.isnan(bound(single, 0))
    row = row_of(library)
    names = contracts.dumps([str(library["id"].values[row])])
    assert np.isnan(bound(library.assign_attrs(references=names), row))


def test_a_fit_of_the_same_model_scatters_as_the_bound_says(rng):
    library = made(two_lines)
    row, noise = row_of(library), 0.02
    rows = {
        name: [row_of(library, **{name: value}) for value in ends]
        for name, ends in (("ten_dq", (0.9, 1.1)), ("slater", (0.7, 0.9)), ("width", (0.4, 0.6)))
    }
    spectra = library["intensity"].values
    columns = {name: spectra[high] - spectra[low] for name, (low, high) in rows.items()}
    own = spectra[row]
    slope = columns.pop("ten_dq") / 0.2
    others = [own, np.ones_like(own), np.gradient(own, 0.1), *columns.values()]
    design = np.stack([slope, *others], axis=1)
    draws = own[:, None] + rng.normal(0, noise, (len(own), 4000))
    fitted = np.linalg.lstsq(design, draws, rcond=None)[0][0]
    # Four standard errors of a deviation of 4000 draws.
    assert fitted.std() == pytest.approx(bound(library, row, noise=noise), rel=4 / np.sqrt(8000))


def drawn(count):
    """The library with 10Dq and the Slater reduction drawn together, in place of a grid."""
    library = made(two_lines).isel(spectrum=[0] * count)
    unit = qmc.Sobol(2, rng=np.random.default_rng(1)).random(count)
    ten_dq, slater = 0.5 + unit[:, 0], 0.7 + 0.2 * unit[:, 1]
    shapes = [two_lines(*p, 0.4) for p in zip(ten_dq, slater, strict=True)]
    columns = {"ten_dq": ten_dq, "slater_reduction": slater, "slater_reduction_pd": slater}
    columns = {name: ("spectrum", values) for name, values in columns.items()}
    return library.assign(
        columns
        | {
            "intensity": (("spectrum", "energy"), np.stack(shapes)),
            "id": ("spectrum", np.arange(count).astype(str)),
        }
    )


def test_a_library_that_is_drawn_tells_the_bound_of_its_grid():
    library = drawn(256)
    grid = made(two_lines)
    grid = grid.isel(spectrum=np.flatnonzero(np.isclose(grid["gaussian_sigma"], 0.4)))
    away = np.abs(library["ten_dq"] - 1.0) + 5 * np.abs(library["slater_reduction"] - 0.8)
    row = int(np.argmin(away.values))
    assert bound(library, row) == pytest.approx(bound(grid, row_of(grid)), rel=0.1)


def test_spectra_whose_parameters_are_not_known_change_nothing():
    library = drawn(256)
    slater = library["slater_reduction"].values.copy()
    slater[::3] = np.nan
    columns = dict.fromkeys(("slater_reduction", "slater_reduction_pd"), ("spectrum", slater))
    partly = library.assign(columns)
    known = library.isel(spectrum=np.flatnonzero(np.isfinite(slater)))
    for row in (1, 4):
        place = np.flatnonzero(known["id"].values == library["id"].values[row])[0]
        assert bound(partly, row) == pytest.approx(bound(known, place))


def test_a_drawn_library_of_few_spectra_does_not_tell():
    library = drawn(2)
    assert np.isnan(bound(library, 0))

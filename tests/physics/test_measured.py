"""Measured spectra of known compounds: the valence that the formula says, from the shape.

The data are not part of the project; tests are skipped where they are absent. Ranges of 10Dq are
wide, because published values are fits themselves.
"""

from pathlib import Path

import numpy as np
import pytest
from prepared_libraries import prepared_library

from whiteline import contracts, estimators, formats, measures
from whiteline.alignment import correlate, search_steps
from whiteline.distances import aligned_distances
from whiteline.queries import prepare_queries

MEASURED = Path(__file__).parents[2].parent / "shared" / "data" / "measured"
STEP = 0.1
AXES = {
    "ten_dq": {"start": 0.0, "stop": 2.5, "step": 0.1},
    "slater_reduction": [0.6, 0.8],
    "temperature": 300.0,
}
# Ions, energies (eV) and line widths (Lorentzian HWHM of L3 and L2, Gaussian sigma, eV).
LIBRARIES = {
    "Mn": (
        ["Mn2+", "Mn3+", "Mn4+"],
        (626.0, 668.0),
        [(0.2, 0.4, 0.2), (0.3, 0.6, 0.4), (0.3, 0.6, 0.6), (0.3, 0.6, 0.9)],
    ),
    "Ti": (
        ["Ti2+", "Ti3+", "Ti4+"],
        (448.0, 478.0),
        [(0.1, 0.2, 0.1), (0.15, 0.5, 0.3), (0.2, 0.6, 0.5), (0.2, 0.8, 0.8)],
    ),
    "Cu": (
        ["Cu2+", "Cu3+"],
        (920.0, 970.0),
        [(0.3, 0.5, 0.15), (0.5, 0.8, 0.3), (0.3, 0.8, 0.5)],
    ),
}


def file(name):
    path = MEASURED / name
    if not path.exists():
        pytest.skip(f"the measured file {name} is not here")
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Prepared libraries by element, made when they are first asked for."""
    folder, known = tmp_path_factory.mktemp("libraries"), {}

    def made(element):
        if element not in known:
            known[element] = simulated(folder, element)
        return known[element]

    return made


def simulated(folder, element):
    ions, (start, stop), widths = LIBRARIES[element]
    names = ("lorentzian_hwhm_l3", "lorentzian_hwhm_l2", "gaussian_sigma")
    configuration = {
        **AXES,
        "ions": ions,
        "broadening": [dict(zip(names, width, strict=True)) for width in widths],
        "energy": {"start": start, "stop": stop, "step": STEP},
        "chemical_shift": 0.8,
        "polarisation": ["isotropic"],
    }
    background = {"kind": "constant", "window": [-6.0, -2.0]}
    path = prepared_library(folder, configuration, background, element)
    return contracts.read(path, "spectra")


def recorded(spectra, energy_uncertainty=np.nan):
    """A dataset of contract "recorded" from energies (eV) and intensities by name."""
    count = len(spectra)
    empty = {name: [""] * count for name in ("ion", "symmetry", "scenario")}
    return contracts.dataset(
        "recorded",
        empty
        | {
            "energy": np.concatenate([energy for energy, _ in spectra.values()]),
            "intensity": np.concatenate([intensity for _, intensity in spectra.values()]),
            "row_size": [len(energy) for energy, _ in spectra.values()],
            "id": [*spectra],
            "energy_uncertainty": [energy_uncertainty] * count,
            "leave_out": [0] * count,
        },
    )


def estimate(library, records, background, continuum="none", reference=None):
    """Estimates by correlation, as the stages make them."""
    preparation = {"background": background, "continuum": continuum, "normalisation": "area"}
    queries, _ = prepare_queries(records, library, preparation, reference)
    rows = queries["intensity"].values, library["intensity"].values
    uncertainty = queries["energy_uncertainty"].values
    shift, _ = correlate(*rows, search_steps(uncertainty, STEP))
    measure = measures.load("correlation")
    distance = aligned_distances(measure, *rows, shift, library["energy"].values)
    estimator = estimators.load("profile").fit(estimators.Library.of(library), order=2)
    return estimator.predict(
        estimators.Comparison(distance, STEP * shift, rows[0], STEP, uncertainty)
    )


def read(name, shift=0.0, member=0):
    (collection,) = [formats.read_spectra(file(name))[member]]
    spectrum = collection.spectrum()
    return spectrum.energy + shift, spectrum.intensity


def test_manganese_oxides_with_an_axis_that_mno_calibrates(library):
    """Valence by formula; MnO at 10Dq 0.9 eV, as the published study found it."""
    solids = {"MnO": 2, "YBaMn3AlO7": 2, "LaMnO3": 3, "SrMnO3": 4}
    spectra = {name: read(f"mnedgenet/Data2_{name}.csv") for name in solids}
    found = estimate(
        library("Mn"),
        recorded(spectra, energy_uncertainty=1.0),
        {"kind": "constant", "window": [-6.0, -1.5]},
        reference={"id": "MnO", "ion": "Mn2+"},
    )
    assert found.valence.tolist() == [*solids.values()]
    assert found.ten_dq[0] == pytest.approx(0.9, abs=0.1)


def test_single_pixels_of_an_electron_energy_loss_map(library):
    """Of 448 very noisy spectra, on an axis that reads 4 eV too high, 95 % are Mn2+."""
    path = file("mn_classifier/Mn2_615-685eV_thinnest_448.npz")
    (pixels,) = formats.read_spectra(path)
    spectra = {
        pixels.id(row): (pixels.energy - 4.0, pixels.spectrum(row).intensity)
        for row in range(len(pixels))
    }
    found = estimate(
        library("Mn"),
        recorded(spectra, energy_uncertainty=1.0),
        {"kind": "linear", "window": [-20.0, -4.0]},
    )
    assert len(found.valence) == 448
    assert (found.valence == 2).mean() >= 0.95


def test_strontium_titanate(library):
    """Energy loss with a pre-edge background and an unknown axis; 10Dq is 2.1 to 2.3 eV."""
    found = estimate(
        library("Ti"),
        recorded({"SrTiO3": read("pytemlib/EELS_STO.dm3")}),
        {"kind": "power_law", "window": [-30.0, -4.0]},
        continuum="two_step",
    )
    assert found.valence == 4
    assert found.ten_dq.item() == pytest.approx(2.2, abs=0.2)


@pytest.mark.parametrize("continuum", ["none", "two_step"])
def test_copper_oxide(library, continuum):
    """Electron and fluorescence yield of CuO, axis unknown."""
    import h5py

    with h5py.File(file("flexpes/library.h5")) as data:
        curves = {name: (group["x"][:], group["y"][:]) for name, group in data["spectra"].items()}
    edges = {name: curve for name, curve in curves.items() if curve[0][0] > 900}
    assert len(edges) == 2
    background = {"kind": "constant", "window": [-8.0, -2.0]}
    found = estimate(library("Cu"), recorded(edges), background, continuum)
    assert (found.valence == 2).all()

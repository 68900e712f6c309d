"""What is said of spectra: measured ones of known content, and bad ones in one sentence each."""

from pathlib import Path

import numpy as np
import pytest
from spectrum_files import ENERGY, IMAGE, SIGNAL, dm

from whiteline.cli import main
from whiteline.errors import InputError
from whiteline.formats import read_spectra
from whiteline.inspection import check, inspect

MEASURED = Path(__file__).parents[2].parent / "shared" / "data" / "measured"


def measured(name, row=0):
    path = MEASURED / name
    if not path.is_file():
        pytest.skip("the measured spectra of ../shared/data are not here")
    mean = read_spectra(path)[row].mean()
    return inspect(mean.energy, mean.intensity)


@pytest.mark.parametrize(
    ("name", "row", "element", "l3"),
    [
        ("mnedgenet/Data2_MnO.csv", 0, "Mn", 640.5),
        ("mnedgenet/Data2_SrMnO3.csv", 0, "Mn", 643.2),
        ("mn_classifier/Mn2_615-685eV_thinnest_448.npz", 0, "Mn", 644.2),
        ("pytemlib/EELS_STO.dm3", 0, "Ti", 456.2),
        ("flexpes/library.h5", 2, "Cu", 930.9),
        ("flexpes/library.h5", 3, "Cu", 930.9),
    ],
)
def test_edges_of_measured_spectra(name, row, element, l3):
    edge = measured(name, row).edge
    assert edge.element == element
    assert edge.l3 == pytest.approx(l3, abs=0.2)
    assert edge.l3 - 4 < edge.onset < edge.l3
    assert edge.l2 > edge.l3 + 4


def test_an_oxygen_edge_is_no_metal_edge():
    found = measured("flexpes/library.h5", 0)
    assert found.edge is None
    assert [name for name, _ in found.in_range] == ["O K"]


def test_background_of_energy_loss():
    found = measured("pytemlib/EELS_STO.dm3")
    assert found.background.kind == "power law"
    assert 1.5 < found.background.exponent < 4.0
    assert found.background.change < 0


def test_noisy_pixels_keep_their_element():
    path = MEASURED / "mn_classifier" / "Mn2_615-685eV_thinnest_448.npz"
    if not path.is_file():
        pytest.skip("the measured spectra of ../shared/data are not here")
    (pixels,) = read_spectra(path)
    found = [inspect(r.energy, r.intensity).edge for _, r in list(pixels.records())[::8]]
    elements = {edge.element for edge in found if edge}
    assert elements == {"Mn"}
    assert sum(edge is None for edge in found) <= 1


def test_noise_has_no_edge():
    rng = np.random.default_rng(0)
    energy = np.arange(500.0, 900.0, 0.25)
    for _ in range(50):
        counts = rng.poisson(1e4 * (energy / 500) ** -3)
        assert inspect(energy, counts.astype(float)).edge is None


@pytest.mark.parametrize("snr", [20.0, 100.0])
def test_the_noise_is_measured(snr):
    rng = np.random.default_rng(1)
    noisy = SIGNAL + rng.normal(0, 1 / snr, len(SIGNAL))
    assert inspect(ENERGY, noisy).snr == pytest.approx(snr, rel=0.3)


def test_two_elements():
    energy = np.arange(620.0, 760.0, 0.2)
    iron = np.exp(-((energy - 708) ** 2)) + 0.5 * np.exp(-((energy - 721) ** 2))
    manganese = np.interp(energy, ENERGY, SIGNAL, left=0.2, right=0.2)
    found = inspect(energy, manganese + 0.5 * iron)
    assert found.edge.element == "Mn"
    assert [(edge.element, edge.l3) for edge in found.others] == [("Fe", pytest.approx(708.0))]


# Bad input


def refuses(energy, intensity, element, *words):
    with pytest.raises(InputError) as error:
        check(energy, intensity, element)
    for word in words:
        assert word in str(error.value)


def test_bad_spectra_are_refused_in_one_sentence():
    check(ENERGY, SIGNAL, "Mn")
    refuses(ENERGY, SIGNAL, "Ni", "no edge of Ni in range", "630..669.75")
    refuses(ENERGY / 1000, SIGNAL, "Mn", "keV?")
    refuses(ENERGY, np.minimum(SIGNAL, 0.8), "Mn", "saturated", "from 63")
    wide = np.arange(600.0, 760.0, 0.25)
    iron = np.exp(-((wide - 708) ** 2)) + 0.5 * np.exp(-((wide - 721) ** 2))
    refuses(wide, iron, "Mn", "no L2,3 edges of Mn", "Fe", "wrong element")


def test_noise_is_not_the_wrong_element():
    noise = np.random.default_rng(2).normal(size=len(ENERGY))
    check(ENERGY, noise, "Mn")


# The command


def test_the_command_describes_and_draws_an_image(tmp_path, capsys):
    path = tmp_path / "image.dm4"
    dm(path, data=IMAGE)
    assert main(["inspect", str(path), "--output", str(tmp_path / "image.svg")]) == 0
    text = capsys.readouterr().out
    assert "DigitalMicrograph 4" in text
    assert "12, a map of 3 x 4" in text
    assert "Mn L2,3: onset 639.00 eV, L3 at 640.00 eV, L2 at 651.00 eV" in text
    drawn = (tmp_path / "image.svg").read_text(encoding="utf-8")
    assert "Mn L₃ 640.0" in drawn
    assert "x (pixels)" in drawn


def test_the_command_refuses(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err == f"{tmp_path}/none.csv: no such file\n"
    assert main(["inspect", "a.csv", "--output", "a.gif"]) == 2
    assert "must be .png or .svg" in capsys.readouterr().err

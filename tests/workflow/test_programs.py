"""Other programs as the engine of a library, and the engines against each other."""

import numpy as np
import pandas as pd
import pytest

from whiteline import contracts, engines

NICKEL = {
    "ions": ["Ni2+"],
    "ten_dq": [0.8, 1.2],
    "broadening": [{"lorentzian_hwhm_l3": 0.2, "lorentzian_hwhm_l2": 0.3, "gaussian_sigma": 0.2}],
    "energy": {"start": 840.0, "stop": 885.0, "step": 0.1},
}
MEASURES = {"correlation": {"kind": "correlation"}}


@pytest.mark.parametrize("kind", ["edrixs", "quanty"])
def test_a_library_of_another_program_is_the_same(workspace, kind):
    if engines.version(kind) is None:
        pytest.skip(f"{kind} is not installed")
    libraries = {"ours": NICKEL, "theirs": {**NICKEL, "engine": kind}}
    workspace.write({"libraries": libraries, "measures": MEASURES})
    targets = [f"results/{name}/library.nc" for name in libraries]
    workspace.run(*targets)
    ours, theirs = (contracts.read(workspace.folder / target, "spectra") for target in targets)
    np.testing.assert_array_equal(ours["ten_dq"], theirs["ten_dq"])
    peak = float(ours["intensity"].max())
    np.testing.assert_allclose(ours["intensity"], theirs["intensity"], rtol=0, atol=1e-5 * peak)


def test_crosscheck(workspace):
    compared = [kind for kind in ("edrixs", "quanty") if engines.version(kind) is not None]
    if not compared:
        pytest.skip("neither EDRIXS nor Quanty is installed")
    case = {"ions": ["Ni2+", "Cu2+"], "symmetry": "D4h", "points": {"ten_dq": 1.1, "ds": [0, 0.1]}}
    workspace.write(
        {
            "libraries": {"ni": NICKEL},
            "measures": MEASURES,
            "crosscheck": {"engines": ["multiplet", *compared], "cases": {"distorted": case}},
        }
    )
    workspace.run("crosscheck")
    folder = workspace.folder / "results" / "crosscheck"
    table = pd.read_csv(folder / "differences.csv")
    assert set(table["ion"]) == {"Ni2+", "Cu2+"}
    assert len(table) == 2 * (3 if len(compared) == 2 else 1)
    assert (table["points"] == 2).all()
    assert (table["largest_difference"] < 1e-5).all()
    assert (table["energy_shift"].abs() < 1e-5).all()
    assert (folder / "differences.png").stat().st_size > 10_000
    assert (folder / "differences.svg").is_file()
    again = workspace.planned("crosscheck")
    assert not [message for message in again if message.startswith("cross-check:")]

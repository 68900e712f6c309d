"""A query set that asks for mixtures, from the simulated ones to the report."""

import numpy as np

from whiteline import contracts

TARGET = "results/mn/standard/mixtures/oxides.nc"


def test_mixtures_are_calibrated_and_reported(workspace):
    study = workspace.study()
    study["queries"]["oxides"]["mixture"] = True
    workspace.write(study)
    # Nothing is estimated again.
    assert workspace.jobs() == [
        "mn: mixtures of valences in oxides",
        "mn: preparing the spectra of mixtures",
        "mn: simulating mixtures",
        "writing the report",
    ]
    assert workspace.planned() == []
    found = contracts.read(workspace.folder / TARGET, "mixtures")
    # The set is one spectrum of Mn2+.
    of_mn2 = found["candidate"].values.tolist().index(2)
    assert found["fraction"].values[0, of_mn2] > 0.9
    assert not found["mixture_needed"].item()
    lower, upper = (found[f"fraction_{end}"].values[0, of_mn2] for end in ("lower", "upper"))
    assert (upper == 1).all()
    assert 0.5 < lower[1] <= lower[0]
    assert np.isfinite(found["p_value"].item())
    assert "stretched to hold the truth" in (workspace.folder / "results/report.html").read_text()

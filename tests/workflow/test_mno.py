"""MnO, measured, through the whole workflow: Mn2+ with 10Dq about 0.9 eV, its axis unknown."""

from pathlib import Path

import pytest
import yaml

from whiteline import contracts

MNO = Path(__file__).parents[2].parent / "shared/data/measured/mnedgenet/Data2_MnO.csv"


@pytest.mark.skipif(not MNO.is_file(), reason="the measured spectrum of MnO is not at hand")
def test_mno_is_mn2_with_ten_dq_about_0_9(workspace):
    study = {
        **yaml.safe_load((workspace.folder / "config" / "mno.yaml").read_text()),
        "extends": "quick.yaml",
        "local": {"MnO": str(MNO)},
        "libraries": {
            "mn": {
                "ions": ["Mn2+", "Mn3+", "Mn4+"],
                "ten_dq": {"start": 0.0, "stop": 2.5, "step": 0.1},
                "slater_reduction": [0.7, 0.8, 0.9],
            }
        },
    }
    workspace.write(study)
    target = "results/mn/standard/correlation/estimates/profile/mno.nc"
    workspace.run(target)
    estimates = contracts.read(workspace.folder / target, "estimates")
    assert estimates["valence"].item() == 2
    assert 0.85 <= estimates["ten_dq"].item() <= 1.05
    # The nominal axis of the library is right for this record to a few tenths of an eV.
    assert abs(estimates["energy_shift"].item()) < 0.5

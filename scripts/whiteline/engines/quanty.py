"""Quanty, the program in the crispy wheel, run from Crispy's templates, one process per spectrum.

Crispy's own modules need Qt and are not imported: the wheel serves without its dependencies. The
template is left as it is. Lua before it keeps the response functions that it throws away, and Lua
after it writes their poles, which are the sticks.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from importlib import metadata
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from whiteline.atomic import Ion, atomic_parameters
from whiteline.engines import base
from whiteline.errors import InputError
from whiteline.impurity.integrals import impurity_integrals
from whiteline.multiplet.spectrum import BOUNDARY
from whiteline.simulation import BOHR_MAGNETON, Parameters, Sticks, merge

FACTS = base.Facts(
    name="Quanty",
    reference="Haverkort et al., Phys. Rev. B 85, 165113 (2012), doi 10.1103/PhysRevB.85.165113",
    symmetries=("Oh", "Td", "D4h", "C3v"),
    parameters=(
        "ten_dq",
        "ds",
        "dt",
        "dsigma",
        "dtau",
        "slater_reduction",
        "slater_reduction_pd",
        "zeta_3d_scale",
        "exchange_field",
        "magnetic_field",
        "delta",
        "u_dd",
        "u_pd",
        "v_eg",
        "v_t2g",
        "ten_dq_ligand",
        "temperature",
    ),
    installation=(
        "it comes with crispy and runs here on Linux (x86-64) only: "
        "pip install --no-deps crispy==2026.3"
    ),
)

LIGANDS = ("u_dd", "u_pd", "v_eg", "v_t2g", "ten_dq_ligand")
PATIENCE = 3600.0  # s; a run that takes longer is ended
DENSE_BORDER = 2000  # determinants up to which Quanty diagonalises fully; Crispy's default

# In front of the template. Eigensystem never ends when asked for more states than there are, as
# the template's search for all populated states does where all are populated. It gets what there
# is and, behind it, a state of infinite energy, which ends the search.
DIGITS = 10  # decimals of energies (eV) and intensities that are kept
BEFORE = """
local beyond = setmetatable({}, {__mul = function(left, right)
    return type(right) == "table" and math.huge or left
end})
local eigensystem = Eigensystem
function Eigensystem(H, restrictions, number, ...)
    local states = eigensystem(H, restrictions, math.min(number, %(states)d), ...)
    if type(states) ~= "table" then states = {states} end
    if #states < number then table.insert(states, beyond) end
    return states
end
local create_spectra, responses = CreateSpectra, nil
function CreateSpectra(...)
    local spectra
    spectra, responses = create_spectra(...)
    return spectra
end
"""

# Behind the template, whose variables it uses. Quanty counts the energies of each initial state
# from <i|H_f|i>; the offset makes them E_final - E_initial. The three operators are C^1_q, q = -1,
# 0, 1; the first value of a table's energies belongs to no pole.
AFTER = """
local file = io.open("poles.txt", "w")
for place, operator in ipairs({Tr_2p_3d, Tk_2p_3d, Tl_2p_3d}) do
    for i, psi in ipairs(Psis_i) do
        local offset = Complex.Re(psi * H_f * psi) - Complex.Re(psi * H_i * psi)
        local response = responses[(Ids[operator] - 1) * #Psis_i + i]
        local list = ResponseFunction.ChangeType(response, "ListOfPoles")
        local poles = ResponseFunction.ToTable(list)
        for k, weight in ipairs(poles[2]) do
            file:write(string.format("%d %.15g %.15g\\n", place - 1, poles[1][k + 1] + offset,
                                     weight * dZ_i[i]))
        end
    end
end
file:close()
"""


def version() -> str | None:
    """Version of the wheel that holds the program, None where it is not there or can't run."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    try:
        return f"crispy {metadata.version('crispy')}" if program().is_file() else None
    except metadata.PackageNotFoundError:
        return None


def program() -> Path:
    """The program in the wheel; raises PackageNotFoundError where crispy is not installed."""
    return _crispy("bin/linux/Quanty")


class Engine(base.Engine):
    """Runs Quanty once for each point.

    Parameters
    ----------
    ion, symmetry
        As for `whiteline.engines.load`.
    configurations
        Number of charge-transfer configurations where there is a ligand shell: 1 is d^n alone.
    """

    def __init__(self, ion: Ion, symmetry: str, *, configurations: int = 2) -> None:
        super().__init__(ion, symmetry)
        self._configurations = configurations

    @property
    def l3_l2_boundary(self) -> float:
        """See `whiteline.multiplet.Multiplet.l3_l2_boundary`."""
        return BOUNDARY[self.ion.d_count] * atomic_parameters(self.ion).zeta_2p

    def sticks(self, parameters: Parameters, *, polarised: bool = False) -> Sticks:
        """See `whiteline.engines.base.Engine.sticks`."""
        parameters.check(self.symmetry, FACTS.parameters, "quanty")
        for name in LIGANDS if parameters.delta is None else ():
            if getattr(parameters, name):
                raise InputError(f"{name} has no meaning without a ligand shell; give delta")
        filled = script(self.ion, self.symmetry, parameters, self._configurations)
        before = BEFORE % {"states": self._states(parameters)}
        with tempfile.TemporaryDirectory(prefix="whiteline-quanty-") as folder:
            run(before + filled + AFTER, folder, f"{self.ion.name} in {self.symmetry}")
            place, energy, weight = np.loadtxt(f"{folder}/poles.txt", ndmin=2).T
        components = np.zeros((len(energy), 3))
        components[np.arange(len(energy)), place.astype(int)] = weight
        return _rounded(merge(energy, components if polarised else components.mean(axis=1)))

    def _states(self, parameters: Parameters) -> int:
        """Number of initial states."""
        n = self.ion.d_count
        configurations = 1 if parameters.delta is None else self._configurations
        return sum(comb(10, n + holes) * comb(10, holes) for holes in range(configurations))


def _rounded(sticks: Sticks) -> Sticks:
    """The sticks without the last digits, which differ from run to run of the program."""
    energy = np.round(sticks.energy, DIGITS)
    if sticks.components is None:
        return Sticks(energy, np.round(sticks.intensity, DIGITS))
    components = np.round(sticks.components, DIGITS)
    return Sticks(energy, components.mean(axis=1), components)


def script(ion: Ion, symmetry: str, parameters: Parameters, configurations: int = 1) -> str:
    """Crispy's template, filled: the isotropic spectrum, light along z.

    Crispy has no template with ligands for Td, which is Oh with the signs of 10Dq turned.

    Raises
    ------
    InputError
        If the template asks for what we don't know, or does not take what we have.
    """
    sign, point_group = 1, symmetry
    if symmetry == "Td" and parameters.delta is not None:
        sign, point_group = -1, "Oh"
    path = _crispy(f"templates/3d_{point_group}_XAS_2p.lua")
    numbers = {
        **_atomic(ion, parameters),
        **_fields(parameters, sign),
        **(_ligands(parameters, sign) if parameters.delta is not None else {}),
    }
    known = {**_settings(ion, parameters, configurations), **numbers}
    taken = set()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        taken.add(name)
        if name not in known and not name.endswith(("_value", "_scaleFactor")):
            raise InputError(f"{path}: the template asks for {name!r}, which is not known here")
        # What a term that is switched off asks for.
        return str(known.get(name, 0.0))

    filled = re.sub(r"\$(\w+(?:\([\w,]+\))*\w*)", value, path.read_text(encoding="utf-8"))
    for name, number in numbers.items():
        if number and name not in taken:
            raise InputError(f"{path}: the template has no place for {name}")
    return filled


def run(text: str, folder: str, what: str) -> None:
    """Run Quanty on a script in a folder, on one core.

    Raises
    ------
    InputError
        If it fails or takes longer than `PATIENCE`.
    """
    Path(folder, "input.lua").write_text(text, encoding="utf-8")
    try:
        done = subprocess.run(
            [program(), "input.lua"],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"Quanty on {what} was ended after {PATIENCE:g} s") from None
    except OSError as error:
        raise InputError(f"{program()} does not run: {error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"it ended with code {done.returncode}"
        raise InputError(f"Quanty failed on {what}: {said}")


def _crispy(name: str) -> Path:
    """A file of the wheel, which need not be importable."""
    return Path(metadata.distribution("crispy").locate_file(f"crispy/quanty/{name}"))


def _settings(ion: Ion, parameters: Parameters, configurations: int) -> dict[str, Any]:
    """What to calculate. The curve is of no interest here: two points of it."""
    return {
        "Verbosity": "0",
        "NElectrons_3d": ion.d_count,
        "Temperature": parameters.temperature,
        "NPsis": 4,
        "NPsisAuto": "true",
        "NConfigurations": configurations,
        "XEmin": -20.0,
        "XEmax": 30.0,
        "XNPoints": 2,
        "XZeroShift": 0.0,
        "XExperimentalShift": 0.0,
        "XGaussian": 0.0,
        "XLorentzian": "{{-20.0, 0.4}, {30.0, 0.4}}",
        "XGamma": 0.4,
        "XWaveVector": "{0, 0, 1}",
        "XPolarization": "{1, 0, 0}",
        "SpectraToCalculate": '{"Isotropic Absorption"}',
        "DenseBorder": DENSE_BORDER,
        "ShiftSpectra": "false",
        "Prefix": "spectrum",
        "AtomicTerm": "true",
        "CrystalFieldTerm": "true",
        "LmctLigandsHybridizationTerm": _lua(parameters.delta is not None),
        "MlctLigandsHybridizationTerm": "false",
        "MagneticFieldTerm": _lua(parameters.magnetic_field != 0),
        "ExchangeFieldTerm": _lua(parameters.exchange_field != 0),
    }


def _atomic(ion: Ion, parameters: Parameters) -> dict[str, float]:
    """Slater integrals and spin-orbit constants with their factors."""
    integrals = atomic_parameters(ion) if parameters.delta is None else impurity_integrals(ion)
    dd, pd, zeta = parameters.slater_reduction, parameters.reduction_pd, parameters.zeta_3d_scale
    scaled = {
        "F2(3d,3d)_i": (integrals.f2_dd_initial, dd),
        "F4(3d,3d)_i": (integrals.f4_dd_initial, dd),
        "F2(3d,3d)_f": (integrals.f2_dd_final, dd),
        "F4(3d,3d)_f": (integrals.f4_dd_final, dd),
        "F2(2p,3d)_f": (integrals.f2_pd, pd),
        "G1(2p,3d)_f": (integrals.g1_pd, pd),
        "G3(2p,3d)_f": (integrals.g3_pd, pd),
        "zeta(3d)_i": (integrals.zeta_3d_initial, zeta),
        "zeta(3d)_f": (integrals.zeta_3d_final, zeta),
        "zeta(2p)_f": (integrals.zeta_2p, 1.0),
    }
    return {
        key: number
        for name, (value, factor) in scaled.items()
        for key, number in ((f"{name}_value", value), (f"{name}_scaleFactor", factor))
    }


def _fields(parameters: Parameters, sign: int) -> dict[str, float]:
    """Crystal, exchange and magnetic field, the same in both configurations."""
    return _both(
        {
            "10Dq(3d)": sign * parameters.ten_dq,
            "Ds(3d)": parameters.ds,
            "Dt(3d)": parameters.dt,
            "Dsigma(3d)": parameters.dsigma,
            "Dtau(3d)": parameters.dtau,
            "Hz": parameters.exchange_field,
            "Bz": BOHR_MAGNETON * parameters.magnetic_field,
        }
    )


def _ligands(parameters: Parameters, sign: int) -> dict[str, float]:
    """Energies of the configurations and hopping, the same in both."""
    numbers = _both(
        {
            "Delta(3d,L1)": parameters.delta,
            "U(3d,3d)": parameters.u_dd,
            "10Dq(L1)": sign * parameters.ten_dq_ligand,
            "Veg(3d,L1)": parameters.v_eg,
            "Vt2g(3d,L1)": parameters.v_t2g,
        }
    )
    return {**numbers, "U(2p,3d)_f_value": parameters.u_pd}


def _both(values: dict[str, float]) -> dict[str, float]:
    return {f"{name}_{which}_value": value for name, value in values.items() for which in "if"}


def _lua(flag: bool) -> str:
    return "true" if flag else "false"

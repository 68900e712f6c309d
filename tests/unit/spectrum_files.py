"""Small good files of every format, for the tests of readers.

All hold `ENERGY` and `SIGNAL`; images hold it times 1 + the number of the pixel.
"""

import struct

import numpy as np

ENERGY = np.round(np.linspace(630.0, 669.75, 160), 2)
SIGNAL = np.round(
    0.2 + np.exp(-((ENERGY - 640) ** 2)) + 0.4 * np.exp(-0.5 * (ENERGY - 651) ** 2), 4
)
SHAPE = (3, 4)
IMAGE = SIGNAL * (1 + np.arange(12).reshape(*SHAPE, 1))


def columns(path):
    rows = [f"{e:.2f},{y:.4f}" for e, y in zip(ENERGY, SIGNAL, strict=True)]
    path.write_text("\n".join(["energy (eV),signal", *rows, ""]))


def xdi(path, head=("Column.1: energy eV", "Column.2: mufluor"), signals=(SIGNAL,), energy=ENERGY):
    lines = ["# XDI/1.0 Whiteline", "# Element.symbol: Mn", "# Element.edge: L3"]
    lines += [f"# {line}" for line in head] + ["# ///", "# as measured", "#----", "# a b"]
    cells = zip(energy, *signals, strict=True)
    lines += [" ".join(f"{value:.6f}" for value in row) for row in cells]
    path.write_text("\n".join([*lines, ""]))


def msa(path):
    keywords = {
        "FORMAT": "EMSA/MAS Spectral Data File",
        "VERSION": "1.0",
        "NPOINTS": f"{len(ENERGY)}.0",
        "XUNITS": "eV",
        "DATATYPE": "Y",
        "XPERCHAN": "0.25",
        "OFFSET": "630.0",
        "SPECTRUM": "",
    }
    head = [f"#{name:<12}: {value}" for name, value in keywords.items()]
    path.write_text("\n".join([*head, *map(str, SIGNAL), "#ENDOFDATA   : ", ""]))


def npz(path):
    np.savez(path, energy_eV=ENERGY, spectra=IMAGE.reshape(12, -1), dose=3.0)


def hdf5(path):
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("scan_1")
        group["x"], group["y"] = ENERGY, SIGNAL


def nexus(path, mode="TEY", definition="NXxas"):
    import h5py

    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"] = definition
        data = entry.create_group("data")
        data.attrs["NX_class"] = "NXdata"
        data.attrs["signal"], data.attrs["axes"] = "absorbed_beam", ["energy"]
        data["mode"] = mode
        for part, name, values in (
            ("monochromator", "energy", ENERGY / 1000),
            ("absorbed_beam", "data", SIGNAL * 5),
            ("incoming_beam", "data", np.full(len(ENERGY), 5.0)),
        ):
            group = entry.create_group(f"instrument/{part}")
            group[name] = values
        entry["instrument/monochromator/energy"].attrs["units"] = "keV"
        data["energy"] = entry["instrument/monochromator/energy"]
        data["absorbed_beam"] = entry["instrument/absorbed_beam/data"]


def signal(data, place=-1, units="eV"):
    """An image as RosettaSciIO's writers take it, the energy at an axis of one's choice."""
    data = np.moveaxis(data, -1, place)
    place %= data.ndim
    axes = []
    for number, size in enumerate(data.shape):
        energy = number == place
        axes.append(
            {
                "_type": "UniformDataAxis",
                "name": "Energy loss" if energy else "xy"[number % 2],
                "units": units if energy else "nm",
                "scale": 0.25 if energy else 1.0,
                "offset": 630.0 if energy else 0.0,
                "size": size,
                "navigate": not energy,
                "is_binned": False,
                "index_in_array": number,
            }
        )
    return {
        "data": data,
        "axes": axes,
        "metadata": {"General": {"title": "image"}, "Signal": {"signal_type": "EELS"}},
        "original_metadata": {},
        "learning_results": {},
        "models": {},
        "attributes": {"_lazy": False, "ragged": False},
        "package_info": {"package": "none", "package_version": "0"},
        "tmp_parameters": {},
    }


def hspy(path, data=IMAGE):
    from rsciio.hspy import file_writer

    file_writer(str(path), signal(data))


def emd(path, data=IMAGE):
    from rsciio.emd import file_writer

    file_writer(str(path), signal(data))


def netcdf(path):
    from whiteline import contracts

    empty = [""] * 2
    data = contracts.dataset(
        "recorded",
        {
            "energy": np.concatenate([ENERGY, ENERGY[:50] + 1]),
            "intensity": np.concatenate([SIGNAL, SIGNAL[:50]]),
            "row_size": [len(ENERGY), 50],
            "id": ["first", "second"],
            **{name: empty for name in ("ion", "symmetry", "scenario")},
            "leave_out": np.zeros(2),
        },
    )
    contracts.write(data, path)


def dm(path, version=4, data=IMAGE):
    """A DigitalMicrograph file of one image, energy first as the program stores it.

    Laid out after the description of the format by G. Jefferis and B. Mitchell: tags that are
    named groups (20) or data (21), big-endian but for the data themselves.
    """
    wide = ">q" if version == 4 else ">i"
    rows = np.moveaxis(np.asarray(data, dtype="<f4"), -1, 0)

    def tag(kind, name, content):
        size = struct.pack(">q", len(content)) if version == 4 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode() + size + content

    def group(name, *tags):
        return tag(20, name, _members(tags))

    def _members(tags):
        return struct.pack(">BB", 1, 0) + struct.pack(wide, len(tags)) + b"".join(tags)

    def value(name, info, content):
        numbers = b"".join(struct.pack(wide, number) for number in (len(info), *info))
        return tag(21, name, b"%%%%" + numbers + content)

    def whole(name, number):
        return value(name, [3], struct.pack("<i", number))

    def real(name, number):
        return value(name, [6], struct.pack("<f", number))

    def text(name, letters):
        return value(name, [20, 4, len(letters)], letters.encode("utf-16-le"))

    def calibration(origin, scale, units):
        parts = real("Origin", origin), real("Scale", scale), text("Units", units)
        return group("", *parts)

    axes = [calibration(0.0, 1.0, "nm") for _ in rows.shape[1:]]
    axes.append(calibration(-2520.0, 0.25, "eV"))
    content = value("Data", [20, 6, rows.size], rows.tobytes())
    image = group(
        "ImageData",
        group(
            "Calibrations",
            group("Brightness", real("Origin", 0), real("Scale", 1), text("Units", "e-")),
            group("Dimension", *axes),
        ),
        content,
        whole("DataType", 2),
        group("Dimensions", *(whole("", size) for size in reversed(rows.shape))),
        whole("PixelDepth", 4),
    )
    images = group("ImageList", group("", image, group("ImageTags"), text("Name", "image")))
    root = _members([group("DocumentObjectList"), images])
    head = struct.pack(">i", version) + struct.pack(wide, len(root) + 8) + struct.pack(">i", 1)
    path.write_bytes(head + root + bytes(8))


def dm3(path):
    dm(path, version=3)


WRITERS = {
    "columns.csv": columns,
    "xas.xdi": xdi,
    "eels.msa": msa,
    "stack.npz": npz,
    "generic.h5": hdf5,
    "xas.nxs": nexus,
    "image.hspy": hspy,
    "image.emd": emd,
    "image.dm4": dm,
    "image.dm3": dm3,
    "own.nc": netcdf,
}

"""The programs that are tried: how each is found, and how it opens a file and saves it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
NEEDS: Final = """make office tries the programs that it finds, and installs none of them:
  LibreOffice        apt-get install --no-install-recommends libreoffice-calc
  SheetJS, exceljs   npm install xlsx exceljs, in a folder that OFFICE_NODE names
  openpyxl, pandas   pip install pandas openpyxl odfpy, in a Python that OFFICE_PYTHON names"""

_TIMEOUT_S: Final = 300
_CSV: Final = "Text - txt - csv (StarCalc)"
_COMMA_QUOTE_UTF8: Final = "44,34,76"


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    version: str
    trips: Sequence[tuple[str, str]]
    """What is opened, and what it is saved as."""
    save: Callable[[Path, Path], None]


def find() -> list[Program]:
    return [program for each in (_libreoffice, *_NODE, *_PYTHON) if (program := each()) is not None]


def _libreoffice() -> Program | None:
    if (binary := shutil.which("soffice")) is None:
        return None

    def save(before: Path, after: Path) -> None:
        profile = f"-env:UserInstallation=file://{after.parent.absolute()}/profile"
        reads = [f"--infilter={_CSV}:{_COMMA_QUOTE_UTF8},1,,0,false,true"] * (before.suffix == ".csv")
        saves = {".csv": f"csv:{_CSV}:{_COMMA_QUOTE_UTF8},1,,0,false,true,false"}
        form = saves.get(after.suffix, after.suffix[1:])
        _run(binary, profile, "--headless", *reads, "--convert-to", form, "--outdir", after.parent, before)

    forms = ("xlsx", "csv", "ods")
    version = re.search(r"[0-9.]+", _run(binary, "--version"))
    return Program("LibreOffice", version[0] if version else "", _all(forms, forms), save)


def _node(name: str, package: str, reads: Sequence[str], writes: Sequence[str]) -> Program | None:
    folder = Path(os.environ.get("OFFICE_NODE", ".")) / "node_modules"
    node = shutil.which("node")
    if node is None or not (folder / package).is_dir():
        return None
    script = HERE / f"{name.lower()}.js"

    def save(before: Path, after: Path) -> None:
        _run(node, script, folder.absolute() / package, before, after)

    found = re.search(r'"version": *"([^"]+)"', (folder / package / "package.json").read_text())
    return Program(name, found[1] if found else "", _all(reads, writes), save)


def _python(name: str, reads: Sequence[str], writes: Sequence[str]) -> Program | None:
    python = os.environ.get("OFFICE_PYTHON") or shutil.which("python3") or "python3"
    try:
        version = _run(python, "-c", f"import {name}; print({name}.__version__)").strip()
    except (OSError, subprocess.CalledProcessError):
        return None

    def save(before: Path, after: Path) -> None:
        _run(python, HERE / f"save_with_{name}.py", before, after)

    return Program(name, version, _all(reads, writes), save)


_NODE: Final = (
    lambda: _node("SheetJS", "xlsx", ("xlsx", "csv", "ods"), ("xlsx", "csv", "ods")),
    lambda: _node("exceljs", "exceljs", ("xlsx", "csv"), ("xlsx", "csv")),
)
_PYTHON: Final = (
    lambda: _python("openpyxl", ("xlsx",), ("xlsx",)),
    lambda: _python("pandas", ("xlsx", "csv", "ods"), ("xlsx", "csv", "ods")),
)


def _all(reads: Sequence[str], writes: Sequence[str]) -> list[tuple[str, str]]:
    return [(before, after) for before in reads for after in writes]


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S).stdout

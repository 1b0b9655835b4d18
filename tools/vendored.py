"""What the console has of others: copied from the locked npm packages, with their licences and hashes.

A browser resolves no bare names, so hooks name Preact's file. `python -m tools.vendored` writes the folder;
`python -m tools.vendored check` compares it with the packages.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
MODULES: Final = ROOT / "tools" / "console" / "node_modules"
FOLDER: Final = ROOT / "app" / "console" / "static" / "vendor"
HASHES: Final = "SHA256SUMS"
_SOURCES: Final = {
    "preact.js": "preact/dist/preact.module.js",
    "hooks.js": "preact/hooks/dist/hooks.module.js",
    "preact.LICENSE": "preact/LICENSE",
    "htm.js": "htm/dist/htm.module.js",
    "htm.LICENSE": "htm/LICENSE",
}


def read() -> dict[str, bytes]:
    """Each file by its name, as the packages have it but for what they import and their maps."""
    return {name: _adapt((MODULES / source).read_bytes()) for name, source in _SOURCES.items()}


def _adapt(content: bytes) -> bytes:
    code = content.replace(b'from"preact"', b'from"./preact.js"')
    return code.partition(b"\n//# sourceMappingURL=")[0].rstrip() + b"\n"


def write() -> None:
    files = read()
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)
    (FOLDER / HASHES).write_text(hashes(files))


def hashes(files: dict[str, bytes]) -> str:
    """As `sha256sum --check` reads them."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())


def find_wrong() -> Iterator[str]:
    """The files that are not what the packages have."""
    for name, content in read().items():
        if not (FOLDER / name).exists() or (FOLDER / name).read_bytes() != content:
            yield f"{name} is not what its package has: run `python -m tools.vendored`."


def main() -> None:
    if sys.argv[1:] != ["check"]:
        write()
    elif wrong := list(find_wrong()):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()

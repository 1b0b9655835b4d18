"""docs/errors.md, written from the error classes: `python -m tests.error_codes > docs/errors.md`."""

import sys
from collections.abc import Iterator

from app import problems
from app.errors import RosterError

HEAD = """# Error codes

Every error is `application/problem+json` (RFC 9457). `code` is stable; `type` is `urn:roster:problem:` and
the code; `errors[]` names each bad field by a JSON pointer (RFC 6901) or by parameter. 503 carries
`Retry-After`.

| Status | Code | Title |
|---|---|---|
"""


def classes(base: type[RosterError] = RosterError) -> Iterator[type[RosterError]]:
    yield base
    for error in base.__subclasses__():
        if error.__module__ in {RosterError.__module__, problems.__name__}:
            yield from classes(error)


def page() -> str:
    rows = sorted({(error.status, error.code, error.title) for error in classes()})
    return HEAD + "".join(f"| {status} | `{code}` | {title} |\n" for status, code, title in rows)


if __name__ == "__main__":
    sys.stdout.write(page())

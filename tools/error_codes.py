"""docs/errors.md, written from the error classes: `python -m tools.error_codes > docs/errors.md`."""

import sys
from collections.abc import Collection, Iterator

from app.core.errors import OAuthError, RosterError
from app.http import problems

_TABLE = """
| Status | Code | Title |
|---|---|---|
"""

HEAD = """# Error codes

Every error is `application/problem+json` (RFC 9457), but for those of OAuth below. `code` is stable; `type`
is `urn:roster:problem:` and the code; `errors[]` names each bad field by a JSON pointer (RFC 6901) or by
parameter. 401 and `insufficient_scope` carry `WWW-Authenticate` (RFC 6750); 429 and 503 carry `Retry-After`.
`title` and `detail` are for people, in the language that `Accept-Language` prefers: English (`en`) or Chinese
(`zh-Hans`), as `Content-Language` says.
"""

OAUTH = """
## OAuth

`/auth/token`, `/auth/introspect` and `/auth/revoke` answer what is wrong with a request as OAuth's clients
know it (RFC 6749, section 5.2): `application/json` with the code as `error`, and `error_description`.
"""


def classes(base: type[RosterError] = RosterError) -> Iterator[type[RosterError]]:
    yield base
    for error in base.__subclasses__():
        if error.__module__ in {RosterError.__module__, problems.__name__}:
            yield from classes(error)


def page() -> str:
    oauth = set(classes(OAuthError))
    return HEAD + _table(set(classes()) - oauth) + OAUTH + _table(oauth)


def _table(errors: Collection[type[RosterError]]) -> str:
    rows = sorted({(error.status, error.code, error.title) for error in errors})
    return _TABLE + "".join(f"| {status} | `{code}` | {title} |\n" for status, code, title in rows)


if __name__ == "__main__":
    sys.stdout.write(page())

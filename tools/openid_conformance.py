"""docs/openid-conformance.md, written from the docstrings of tests.

`python -m tools.openid_conformance > docs/openid-conformance.md`
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).parents[1] / "tests" / "integration" / "oauth"
_FILES = ("test_openid_conformance.py", "test_openid_logout.py", "test_logout_notices.py")
_MODULE = re.compile(r"`(oidcc-[a-z0-9-]+)`[,:]?\s*", re.IGNORECASE)

_HEAD = """# OpenID conformance

The modules of the OpenID Foundation's conformance suite for the profiles Basic OP, Config OP, RP-Initiated
Logout OP and Back-Channel Logout OP, each with the test of ours that asks the same, and the result that our
test shows. The suite itself was not run, and Roster is not certified.

Two things are not as the suite has them. Its modules, but for one, ask without PKCE, which Roster refuses for
every client (RFC 9700, section 2.1.1): our tests ask with it. And it wants ID tokens that are signed with
RS256, which a directory has where `ROSTER_TOKEN_ALGORITHM` says so ([settings](settings.md)): our tests of
the Basic and Config plans have it set.

| Module | Result | Test |
|---|---|---|
"""


def find() -> Iterator[tuple[str, str, str]]:
    """Module, result and test."""
    for name in _FILES:
        for node in ast.parse((_TESTS / name).read_text("utf-8")).body:
            if isinstance(node, ast.AsyncFunctionDef) and (told := ast.get_docstring(node)):
                result = _MODULE.sub("", told).strip().rstrip(".")
                for module in _MODULE.findall(told):
                    sentence = node.name.removeprefix("test_").replace("_", " ")
                    yield module, result, f"`{name}`: {sentence}"


def page() -> str:
    rows = (
        f"| `{module}` | {result} | {test.replace('_', ' ')} |\n" for module, result, test in sorted(find())
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())

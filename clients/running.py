"""The programs that play the clients, and how each is run."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients import environment

_PROGRAMS: Final = environment.HERE / "programs"
_TIMEOUT_S: Final = 600


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    file: str
    packages: Sequence[str]
    """Whose versions the report names."""
    over_tls: bool = False
    """Whether it reaches Roster by https, through a proxy."""

    @property
    def command(self) -> tuple[str | Path, ...]:
        if self.file.endswith(".js"):
            return (environment.NODE, _PROGRAMS / self.file)
        return (environment.PYTHON, "-m", f"clients.programs.{self.file.removesuffix('.py')}")


@dataclass(frozen=True, slots=True)
class Outcome:
    program: Program
    steps: tuple[str, ...]
    """The flows that it did."""
    failure: str
    """Empty if it did them all."""


ALL: Final = (
    Program("oauth4webapi", "oauth4webapi.js", ("oauth4webapi",)),
    Program("openid-client", "openid_client.js", ("openid-client",)),
    Program("jose", "jose.js", ("jose",)),
    Program("express-oauth2-jwt-bearer", "express_oauth2_jwt_bearer.js", ("express-oauth2-jwt-bearer",)),
    Program("oidc-client-ts", "in_browser.py", ("oidc-client-ts",)),
    Program("express-openid-connect", "with_express.py", ("express-openid-connect",)),
    Program("Authlib", "with_authlib.py", ("authlib",)),
    Program("Authlib for Starlette", "with_starlette.py", ("authlib", "starlette")),
    Program("requests-oauthlib", "with_requests_oauthlib.py", ("requests-oauthlib", "oauthlib")),
    Program("httpx-oauth", "with_httpx_oauth.py", ("httpx-oauth",)),
    Program("mcp", "with_mcp.py", ("mcp",)),
    Program("axe-core, on every page", "pages.py", ("axe-core",)),
    Program("axe-core, on every mail", "mails.py", ("axe-core",)),
    Program("oidc-client-ts, over TLS", "over_tls.py", ("oidc-client-ts",), over_tls=True),
    Program("Swagger UI, at /docs", "swagger_ui.py", ()),
)


def run(program: Program, told: str) -> Outcome:
    """To its end; what it did is printed as it goes."""
    print(f"{program.name}: ", end="", flush=True)
    done = subprocess.run(
        program.command,
        cwd=environment.HERE,
        env=environment.variables() | {"CLIENTS": told},
        capture_output=True,
        check=False,
        text=True,
        timeout=_TIMEOUT_S,
    )
    steps = tuple(re.findall(r"^ok (.+)$", done.stdout, re.MULTILINE))
    print(f"{len(steps)} flows{', then it failed' if done.returncode else ''}", flush=True)
    return Outcome(program, steps, f"{done.stdout}{done.stderr}" if done.returncode else "")

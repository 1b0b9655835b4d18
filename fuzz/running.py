"""One run of schemathesis against the service, and what came of it."""

import json
import os
import subprocess
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fuzz import environment
from fuzz.accounts import Account
from fuzz.service import Service

_ROOT = Path(__file__).parent.parent
_CONFIG = Path(__file__).parent / "schemathesis.toml"
_ENDED = (0, 1)
"""How it ends: without findings, or with some. Anything else is that it did not work."""


@dataclass(frozen=True, slots=True)
class Report:
    """What schemathesis says of its run."""

    cases: int
    tested: int
    operations: int
    failing: tuple[str, ...]
    """Operations that never did what they were asked for."""
    excused: int
    """Failures that `fuzz.excuses` says are none."""
    reasons: Counter[str]
    """How often it said why; a failure may have more than one."""
    findings: tuple[str, ...]


def run(service: Service, folder: Path, *, seed: int, seconds: int, options: list[str]) -> Report:
    """It prints as it goes; `seconds` bound the whole run. `options` are more of its own."""
    report = folder / "report.json"
    said = (
        *("run", f"{service.url}/openapi.json", "--checks", "all"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--seed", str(seed), "--max-time", str(seconds), "--generation-database", "none"),
        *("--report", "json", "--report-json-path", str(report), "--no-color"),
    )
    program = environment.program("schemathesis")
    done = subprocess.run(
        [program, "--config-file", _CONFIG, *said, *options],
        env=_tell(service, folder),
        cwd=_ROOT,
        check=False,
    )
    if done.returncode not in _ENDED:
        raise RuntimeError(f"schemathesis ended with {done.returncode}")
    failing = _find_operations(service).keys() - set(_read_lines(folder / "answered"))
    return _read(json.loads(report.read_text()), sorted(failing), _read_lines(folder / "excused"))


def _read_lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _find_operations(service: Service) -> dict[str, dict[str, Any]]:
    document = httpx.get(f"{service.url}/openapi.json").raise_for_status().json()
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _name_callers(service: Service) -> dict[str, str]:
    """Who begins with which operation, where it is not the first of the accounts."""
    admins = {
        label: service.administrator.name
        for label, operation in _find_operations(service).items()
        if "users:admin" in operation["security"][0].get("OAuth2", ())
    }
    guests = (
        *("POST /users/me/password", "POST /users/me/email"),
        *("DELETE /users/me/sessions/{session_id}", "GET /auth/userinfo", "POST /auth/userinfo"),
    )
    return admins | dict.fromkeys(guests, service.guest.name)


def _tell(service: Service, folder: Path) -> dict[str, str]:
    accounts = folder / "accounts.json"
    callers = (*service.peers, service.administrator, service.guest)
    accounts.write_text(json.dumps({"auth": [_describe(account) for account in callers]}))
    known = folder / "known.json"
    known.write_text(
        json.dumps(
            {
                "callers": [name for account in callers for name in (account.id, account.email)],
                "bystander": service.bystanders[0],
                "identities": _name_callers(service),
                "successes": {
                    "username": service.guest.username,
                    "password": service.guest.password,
                    "visitor": service.visitor,
                    "sessions": service.sessions,
                    "tokens": service.tokens,
                    "openid_token": service.openid_token,
                    "people": service.bystanders[1:],
                    "consents": service.consents,
                    "places": service.places,
                    "bodies": service.bodies,
                },
            }
        )
    )
    return os.environ | {
        "FUZZ_ACCOUNTS": str(accounts),
        "FUZZ_KNOWN": str(known),
        "FUZZ_ANSWERED": str(folder / "answered"),
        "FUZZ_EXCUSED": str(folder / "excused"),
        "FUZZ_CLIENT_ID": service.client.id,
        "FUZZ_CLIENT_SECRET": service.client.secret,
        "PYTHONPATH": str(_ROOT),
    }


def _describe(account: Account) -> dict[str, Any]:
    """How one signs in, in the terms of Web Fuzzing Commons."""
    return {
        "name": account.name,
        "loginEndpointAuth": {
            "endpoint": "/auth/token",
            "verb": "POST",
            "contentType": "application/x-www-form-urlencoded",
            "payloadRaw": urllib.parse.urlencode(account.form),
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }


def _read(report: dict[str, Any], failing: list[str], excused: list[str]) -> Report:
    failures = (f"{one['title']}: {', '.join(one['operations'])}" for one in report["failures"])
    errors = (f"{one['title']} ({one['count']})" for one in report["errors"])
    return Report(
        cases=report["test_cases"]["generated"],
        tested=report["operations"]["tested"],
        failing=tuple(failing),
        excused=len(excused),
        reasons=Counter(reason for line in excused for reason in line.split("\t")),
        operations=report["operations"]["total"],
        findings=(*failures, *errors),
    )

"""What `make clients` found, as docs/clients.md has it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clients import environment
from clients.running import Outcome

REPORT: Final = Path("docs/clients.md")
_INTRODUCTION: Final = (
    "Written by `make clients`: OAuth and OpenID Connect clients that others wrote, unmodified, do their "
    "flows with a running Roster. A person (a browser without JavaScript, or Chromium) signs in and consents "
    "on Roster's pages in between. How to use them: [sign-in.md](sign-in.md)."
)


def write(outcomes: Sequence[Outcome]) -> str:
    lines = [f"| {each.program.name} | {_versions(each)} | {_flows(each)} |" for each in outcomes]
    head = ["# Clients", "", _INTRODUCTION, "", "| Client | Version | Flows |", "|---|---|---|"]
    return "\n".join([*head, *lines]) + "\n"


def _flows(outcome: Outcome) -> str:
    return "; ".join([*outcome.steps, *(["**then it failed**"] if outcome.failure else [])])


def _versions(outcome: Outcome) -> str:
    return ", ".join(map(environment.read_version, outcome.program.packages))

"""The metrics: what is counted under which labels, and that the files of deploy/ ask for nothing else."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client import REGISTRY

from app import __version__, audit
from app.http import error_handlers
from app.http.middleware import RequestContext
from app.monitoring import gauges, metrics
from app.users import rows
from models.export import MEDIA_TYPES
from tests.support.small_app import client_of, make_app

DEPLOY = Path(__file__).parents[3] / "deploy"
NAME = re.compile(r"\broster_\w+")
LABELS = re.compile(r"(roster_\w+)\{([^}]*)\}")
XLSX = MEDIA_TYPES["xlsx"]
MODULES = (audit.log, error_handlers, metrics, rows, gauges)
"""What declares or counts them, imported for that."""


def read(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def declared() -> dict[str, set[str]]:
    """The series that there are, with the labels of each; none of them needs to have been counted."""
    found: dict[str, set[str]] = {}
    for name, collector in REGISTRY._names_to_collectors.items():
        labels = set(getattr(collector, "_labelnames", ()))
        found[name] = labels | {"le"} if name.endswith("_bucket") else labels
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    return loaded


def expressions() -> list[str]:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return panels + [rule["expr"] for rule in rules()]


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_asked_for_exists_with_its_labels(expression: str) -> None:
    known = declared()
    assert set(NAME.findall(expression)) <= known.keys()
    for name, selector in LABELS.findall(expression):
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= known[name] | {"instance", "job"}
    for grouping, name in re.findall(r"by \(([^)]*)\) \(\w*\(?(roster_\w+)", expression):
        assert {label.strip() for label in grouping.split(",")} <= known[name] | {"instance"}


def test_every_metric_is_on_the_dashboard() -> None:
    shown = json.dumps(dashboard())
    ours = {name for name in declared() if name.startswith("roster_") and not name.endswith("_created")}
    unshown = {name for name in ours if name not in shown}
    assert {re.sub("_(sum|count|bucket|total)$", "", name) for name in unshown} <= {
        re.sub("_(sum|count|bucket|total)$", "", name) for name in NAME.findall(shown)
    }


def test_every_event_that_an_alert_waits_for_is_one_of_the_log() -> None:
    known = {*get_args(audit.log.Success), *get_args(audit.log.Denial)}
    named = re.findall(r'event=~?"([^"]+)"', " ".join(expressions()))
    assert named
    assert {event for names in named for event in names.split("|")} <= known


def test_each_panel_says_what_it_shows_and_each_alert_what_to_do() -> None:
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    assert all(panel["description"] for panel in panels)
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in rules())


def test_each_alert_has_a_case_that_makes_it_fire_and_one_that_keeps_it_quiet() -> None:
    """`make alerts` runs them, with promtool."""
    cases = [
        case["name"] for case in yaml.safe_load((DEPLOY.parent / "tests" / "alerts.yml").read_text())["tests"]
    ]
    for rule in rules():
        for what in ("fires", "keeps quiet"):
            assert any(name.startswith(f"{rule['alert']} {what} ") for name in cases), (rule["alert"], what)


def lasts(operation: dict[str, Any]) -> bool:
    """Whether it takes or gives what may take long by its nature: a file, or events."""
    gives = operation["responses"].get("200", {}).get("content", {})
    takes = operation.get("requestBody", {}).get("content", {})
    return (
        bool({"text/csv", "text/event-stream", XLSX} & (gives.keys() | takes.keys()))
        and "application/json" not in gives
    )


def test_what_lasts_by_its_nature_is_not_called_slow() -> None:
    (slow,) = (rule["expr"] for rule in rules() if rule["alert"] == "RosterIsSlow")
    (left_out,) = re.findall(r'route!~"([^"]+)"', slow)
    paths = json.loads((DEPLOY.parent / "tests" / "snapshots" / "openapi.json").read_text())["paths"]
    lasting = {path for path, methods in paths.items() if any(map(lasts, methods.values()))}
    assert len(lasting) == 8
    assert all(re.fullmatch(left_out, path) for path in lasting)
    for path in (
        "/users",
        "/users/{user_id}",
        "/users/me",
        "/users/suggest",
        "/auth/token",
        "/jobs/{job_id}",
    ):
        assert not re.fullmatch(left_out, path), path


def test_the_version_of_the_package_is_the_one_that_is_told() -> None:
    package = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    assert package["version"] == __version__


async def test_a_request_is_counted_by_the_template_of_its_route_and_its_status() -> None:
    users = {"method": "GET", "route": "/users/{user_id}"}
    nowhere = {"method": "other", "route": "none"}
    before = read("roster_requests_total", **users, status="404")
    unknown = read("roster_request_seconds_count", **nowhere)
    async with client_of(FastAPI()) as client:
        client._transport = httpx.ASGITransport(RequestContext(make_app(), counts=True))
        await client.get("/users/ana@example.com")
        await client.request("GETX", "/nowhere/ana@example.com")
        await client.request("BREW", "/users/1/2/3")
    assert read("roster_requests_total", **users, status="404") == before + 1
    assert read("roster_request_seconds_count", **nowhere) == unknown + 2


async def test_what_is_not_served_is_not_counted() -> None:
    before = read("roster_requests_total", method="GET", route="/users", status="200")
    async with client_of(make_app()) as client:
        await client.get("/users")
    assert read("roster_requests_total", method="GET", route="/users", status="200") == before


async def test_what_a_backend_failed_is_counted_by_its_error() -> None:
    before = read("roster_backend_errors_total", backend="MongoDB", error="ServerSelectionTimeoutError")
    redis = read("roster_backend_errors_total", backend="Redis", error="ConnectionError")
    async with client_of(make_app()) as client:
        await client.get("/mongo/away")
        await client.get("/redis")
    assert read("roster_backend_errors_total", backend="MongoDB", error="ServerSelectionTimeoutError") == (
        before + 1
    )
    assert read("roster_backend_errors_total", backend="Redis", error="ConnectionError") == redis + 1


def test_an_event_of_authentication_is_counted() -> None:
    before = read("roster_auth_events_total", event="signed_in")
    audit.log.record("signed_in", user_id="1")
    assert read("roster_auth_events_total", event="signed_in") == before + 1

"""One of each thing that has a view of its own in the console, as its pictures show them."""

from typing import Any, Final

import httpx

from tests.support.console import VIEWS, Door

_WAIT: Final = {"Prefer": "wait=30"}
_TEAM: Final = """email,name,department,title,age
ines.moreau@example.com,Inès Moreau,Research,Chemist,41
tariq.aziz@example.com,Tariq Aziz,Research,Physicist,thirty
{known},{name},Research,Librarian,52
li.na@example.com,李娜,Research,Botanist,38
oskar(at)example.com,Oskar Lind,Research,Geologist,29
"""


def find_places(door: Door) -> dict[str, str]:
    """Where each view is, with something to see there."""
    with door.administrator() as http:
        person = http.get("/users", params={"sort": "name", "limit": 5}).json()["items"][-1]
        _change(http, person["id"])
        ids = {"people": person, "bulk": _plan(http), "imports": _import(http, person)}
        for kind in ("xlsx", "csv"):
            http.post("/users/exports", json={"format": kind, "department": "Sales"}, headers=_WAIT)
        weekly = {"name": "Sales, weekly", "cron": "30 6 * * MON", "export": {"format": "xlsx"}}
        http.post("/users/exports/schedules", json=weekly).raise_for_status()
        portal = {"name": "ACME Portal", "grant_types": ["authorization_code", "refresh_token"]}
        uris = {"redirect_uris": ["https://portal.example.com/callback"]}
        http.post("/clients", json=portal | uris).raise_for_status()
    found = {path: path.replace(":id", ids.get(path.split("/")[1], {}).get("id", "")) for path in VIEWS}
    return found | {"/overview": "/overview?days=365"}


def _change(http: httpx.Client, user_id: str) -> None:
    for fields in ({"phone": "+4755123477"}, {"profile": {"title": "Librarian"}}, {"tags": ["evening"]}):
        http.patch(f"/users/{user_id}", json=fields).raise_for_status()


def _plan(http: httpx.Client) -> Any:
    body = {"filter": {"department": "Sales"}, "change": {"action": "add_tags", "tags": ["spring"]}}
    return http.post("/users:bulk", json=body, headers=_WAIT).raise_for_status().json()


def _import(http: httpx.Client, person: dict[str, Any]) -> Any:
    content = _TEAM.format(known=person["email"], name=person["name"])
    file = {"file": ("research.csv", content.encode(), "text/csv")}
    return http.post("/users/import", files=file, headers=_WAIT).raise_for_status().json()

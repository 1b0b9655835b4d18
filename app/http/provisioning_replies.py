"""Replies about provisioning clients."""

from collections.abc import Mapping
from typing import Any

from app.core.mongo import Row
from app.core.paging import Page
from app.http.sound_rows import describe_sound
from models.provisioned import (
    LinkOutput,
    LinkPage,
    ProvisioningActivity,
    ProvisioningDay,
    ProvisioningRequest,
)


def links(found: Page[Row]) -> LinkPage:
    return LinkPage(items=describe_sound(found.items, _link, lambda link: str(link["_id"])), next=found.next)


def _link(link: Row) -> LinkOutput:
    return LinkOutput(
        user=str(link["target"]), external_id=link["external_id"], changed_at=link["changed_at"]
    )


def activity(found: Mapping[str, Any]) -> ProvisioningActivity:
    return ProvisioningActivity(
        requests=[ProvisioningRequest(**request) for request in found["requests"]],
        failures=[ProvisioningRequest(**request) for request in found["failures"]],
        days=[
            ProvisioningDay(day=day["day"], **{name: day.get(name, 0) for name in _OUTCOMES})
            for day in found["days"]
        ],
    )


_OUTCOMES = tuple(name for name in ProvisioningDay.model_fields if name != "day")

"""What a start warns of."""

from typing import Any

import pytest

from app.commands import first_start
from tests.support.jobs import Start

_ISSUER = "https://users.example.com"


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [
        ({"issuer": _ISSUER}, True),
        ({"issuer": _ISSUER, "password_grant": False}, False),
        ({}, False),
    ],
    ids=["https", "https without the password grant", "loopback"],
)
async def test_a_start_for_others_says_what_is_advised_of_passwords_and_how_to_switch_them_off(
    starts: Start, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], *, is_told: bool
) -> None:
    client = await starts(**settings)
    await first_start.prepare(client.app.state.container)  # type: ignore[attr-defined]  # set by `serving`
    lines = [line for line in capsys.readouterr().err.splitlines() if "password_grant_is_on" in line]
    assert len(lines) == is_told
    assert all("RFC 9700" in line and "ROSTER_PASSWORD_GRANT=false" in line for line in lines)

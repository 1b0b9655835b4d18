"""What a device calls itself, and when two sign-ins are of the same one."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient

from app.notices.devices import Devices, name_device

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
MACINTOSH = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX.format(140), "Firefox, Linux"),
        (f"{MACINTOSH} Version/18.4 Safari/605.1.15", "Safari, Mac OS X"),
        (f"{MACINTOSH} Chrome/140.0.0.0 Safari/537.36", "Chrome, Mac OS X"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/140.0.0.0 Safari/537.36 Edg/140",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Safari/537.36",
            "Chrome, Android",
        ),
        ("Safari/1", "Safari"),
        ("curl/8.5.0", "curl"),
        ("<b>", ""),
        ("", ""),
    ],
)
def test_a_device_is_named_as_people_call_it(agent: str, name: str) -> None:
    assert name_device(agent) == name


@pytest.mark.parametrize(
    ("address", "agent", "is_same"),
    [
        ("192.0.2.7", FIREFOX.format(141), True),
        ("192.0.2.200", FIREFOX.format(140), True),
        ("192.0.3.7", FIREFOX.format(140), False),
        ("192.0.2.7", "curl/8", False),
        ("", FIREFOX.format(140), False),
    ],
)
def test_a_device_is_known_by_its_kind_and_network(address: str, agent: str, *, is_same: bool) -> None:
    devices = Devices(AsyncMongoClient[dict[str, Any]](connect=False)["nowhere"], "a secret of the tests")
    ours = devices.place("0123456789abcdef01234567", "192.0.2.7", FIREFOX.format(140))
    assert (devices.place("0123456789abcdef01234567", address, agent) == ours) is is_same
    assert devices.place("0123456789abcdef01234568", address, agent) != ours


def test_addresses_of_a_household_are_one_network_in_ipv6() -> None:
    devices = Devices(AsyncMongoClient[dict[str, Any]](connect=False)["nowhere"], "a secret of the tests")
    places = {
        devices.place("0123456789abcdef01234567", address, "curl/8")
        for address in ("2001:db8:7:1::1", "2001:db8:7:2::2", "2001:db8:8::1")
    }
    assert len(places) == 2

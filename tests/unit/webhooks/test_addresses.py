"""Where webhooks may not be sent, by each spelling that peers were fooled with."""

import asyncio
import socket
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest

from app.webhooks.addresses import CheckedResolver, RefusedAddressError, check

_METADATA = ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
_EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    "address",
    [
        str(IPv4Address(0)), "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0",
        "fc00::1",
        "fd12::1", "ff02::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
        "2002:7f00:1::", "2001:0:7f00:1::", "2001:0:5ef5:79fd::80ff:fffe", *_METADATA,
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError):
        check(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_a_public_address_is_dialled(address: str) -> None:
    check(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.8.7", "fd12::1"])
def test_a_network_that_a_setting_names_is_dialled(address: str) -> None:
    check(address, _EVERYTHING)
    with pytest.raises(RefusedAddressError):
        check(address, (ip_network("192.168.0.0/16"),))


@pytest.mark.parametrize(
    "address", [*_METADATA, "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"]
)
def test_no_setting_lets_metadata_be_dialled(address: str) -> None:
    with pytest.raises(RefusedAddressError):
        check(address, _EVERYTHING)


def _answers(*addresses: str) -> Any:
    return lambda *_, **__: [
        (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443))
        for each in addresses
    ]


async def test_a_name_with_one_forbidden_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.216.34", "2606:2800:220:1::1", "10.0.0.1"))
    resolver = CheckedResolver(())
    with pytest.raises(RefusedAddressError):
        await resolver.resolve("several.example.com", 443)
    await resolver.close()


async def test_what_was_checked_is_what_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.216.34"))
    resolver = CheckedResolver(())
    [found] = await resolver.resolve("changing.example.com", 443)
    assert (found["host"], found["flags"]) == ("93.184.216.34", socket.AI_NUMERICHOST)
    await resolver.close()


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost"])
async def test_other_spellings_of_loopback_are_refused_once_they_are_looked_up(spelling: str) -> None:
    resolver = CheckedResolver(())
    async with asyncio.timeout(20):
        with pytest.raises(RefusedAddressError):
            await resolver.resolve(spelling, 80)
    await resolver.close()

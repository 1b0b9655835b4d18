from ipaddress import ip_network

import pytest

from app.core import client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1"), ip_network("fd00::/8")]


def test_without_a_header_the_client_is_the_peer() -> None:
    assert client_address.find("203.0.113.9", [], TRUSTED) == "203.0.113.9"
    assert client_address.find("10.0.0.1", [], TRUSTED) == "10.0.0.1"


def test_a_header_from_a_peer_that_is_not_trusted_is_ignored() -> None:
    assert client_address.find("203.0.113.9", ["198.51.100.1"], TRUSTED) == "203.0.113.9"
    assert client_address.find("127.0.0.1", ["198.51.100.1"], []) == "127.0.0.1"


def test_the_client_is_the_first_from_the_right_that_is_not_trusted() -> None:
    assert client_address.find("10.0.0.1", ["198.51.100.1, 203.0.113.9, 10.0.0.3"], TRUSTED) == "203.0.113.9"


def test_what_a_client_puts_before_the_proxy_s_entry_changes_nothing() -> None:
    for forged in ("127.0.0.1", "10.0.0.7, 10.0.0.8", "junk", ",,,", "203.0.113.10"):
        assert client_address.find("10.0.0.1", [f"{forged}, 203.0.113.9"], TRUSTED) == "203.0.113.9"


def test_several_header_lines_are_one_list_in_their_order() -> None:
    assert client_address.find("10.0.0.1", ["198.51.100.1", "203.0.113.9, fd00::2"], TRUSTED) == "203.0.113.9"
    assert client_address.find("10.0.0.1", ["203.0.113.9", "198.51.100.1"], TRUSTED) == "198.51.100.1"


def test_a_header_of_nothing_but_trusted_proxies_gives_the_farthest() -> None:
    assert client_address.find("10.0.0.1", ["10.0.0.2, 10.0.0.3"], TRUSTED) == "10.0.0.2"


@pytest.mark.parametrize(
    "junk",
    ["", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:port", "1.2.3.4:123456",
     "[::1", "::1]", "[::1]443", "[]", ":80", "1.2.3.4\r\nX: 1", "١.2.3.4", "01.2.3.4", "2001:db8::1::2",
     "%eth0", "ana@example.com"],
)  # fmt: skip
def test_a_malformed_hop_ends_the_walk_at_the_last_good_one(junk: str) -> None:
    assert client_address.find("10.0.0.1", [f"203.0.113.9, {junk}, 10.0.0.2"], TRUSTED) == "10.0.0.2"
    assert client_address.find("10.0.0.1", [f"203.0.113.9, {junk}"], TRUSTED) == "10.0.0.1"


@pytest.mark.parametrize(
    ("hop", "client"),
    [
        ("1.2.3.4:55", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("[::ffff:1.2.3.4]:55", "1.2.3.4"),
        ("fe80::1%eth0", "fe80::1"),
        ("\t1.2.3.4 ", "1.2.3.4"),
    ],
)
def test_ports_brackets_zones_and_mapped_addresses_are_taken_off(hop: str, client: str) -> None:
    assert client_address.find("10.0.0.1", [hop], TRUSTED) == client
    assert client_address.find(hop, [], TRUSTED) == client


def test_a_proxy_seen_through_a_mapped_address_is_trusted_as_itself() -> None:
    assert client_address.find("::ffff:10.0.0.1", ["203.0.113.9"], TRUSTED) == "203.0.113.9"


def test_the_peer_of_a_unix_socket_is_unknown_unless_this_machine_is_trusted() -> None:
    assert client_address.find(None, [], TRUSTED) == "unknown"
    assert client_address.find(None, ["203.0.113.9"], []) == "unknown"
    assert client_address.find(None, ["203.0.113.9"], TRUSTED) == "203.0.113.9"
    assert client_address.find(None, ["203.0.113.9, junk"], TRUSTED) == "unknown"


def test_a_peer_that_is_no_address_is_unknown_and_never_believed() -> None:
    assert client_address.find("testclient", ["203.0.113.9"], TRUSTED) == "unknown"
    assert client_address.find("", ["203.0.113.9"], TRUSTED) == "unknown"


def test_an_ipv4_address_is_throttled_alone_and_an_ipv6_one_with_its_64() -> None:
    assert client_address.network("203.0.113.9") == "203.0.113.9"
    assert client_address.network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert client_address.network("2001:db8:1:3::1") == "2001:db8:1:3::/64"
    assert client_address.network(client_address.network("2001:db8:1:2::9")) == "2001:db8:1:2::/64"
    assert client_address.network("unknown") == "unknown"

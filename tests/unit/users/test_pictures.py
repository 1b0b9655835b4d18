"""The URLs of pictures: ours are known by their version, those of others are left alone."""

import pytest

from app.users.pictures import find_version, make_url, settle

BASE = "https://users.example.com"
VERSION = "AbCdEfGhIjKlMnOpQrStUv"
OTHER = "0123456789-_0123456789"
OURS = make_url(BASE, VERSION)
FOREIGN = "https://img.example.org/ana.png"


@pytest.mark.parametrize(
    "given", [OURS, f"{OURS}?size=64", f"{OURS}#top", make_url("http://10.0.0.7:8000", VERSION)]
)
def test_the_url_of_ones_own_picture_changes_nothing_under_any_name(given: str) -> None:
    assert settle(given, OURS, BASE) == OURS


@pytest.mark.parametrize("stored", [OURS, FOREIGN, None])
def test_one_of_ours_that_is_not_theirs_changes_nothing(stored: str | None) -> None:
    assert settle(make_url(BASE, OTHER), stored, BASE) == stored
    assert settle(make_url(BASE.upper(), OTHER), stored, BASE) == stored


@pytest.mark.parametrize(
    "given", [None, FOREIGN, make_url("https://elsewhere.example", OTHER), f"{BASE}/avatars/short"]
)
def test_any_other_is_stored_as_it_is_given(given: str | None) -> None:
    assert settle(given, OURS, BASE) == given


def test_a_version_is_found_in_what_has_the_form_of_ours() -> None:
    assert find_version(OURS) == VERSION
    assert find_version(f"/avatars/{VERSION}") == VERSION
    for other in (None, "", FOREIGN, f"{OURS}/more", f"{OURS}x", f"https://a.example/?x=/avatars/{VERSION}"):
        assert find_version(other) is None

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.passwords.imported import check_importable, is_readable, verify
from app.core.errors import InvalidError

KNOWN = {
    # crypt_blowfish's own test vectors
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": "U*U",
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": "U*U",
    "$2b$04$CCCCCCCCCCCCCCCCCCCCC.gkH6UnjS0HnlIFKPrxOxecnCGXTwVua": "lètmein",
    # the reference implementation's test vectors, the third of version 1.0; then one of its library
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": "password",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA": "password",
    "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ": "password",
    "$argon2d$v=19$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$wJTEVeZXdR60NHXFJb9jjF"
    "+esdqFOP0BbwJQ0IkrJII": "lètmein",
    # written by Django 5.2 (the last by a hasher of its kind with SHA-512)
    "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=": "lètmein",
    "pbkdf2_sha1$1000$seasalt$ljleU4wBmTtz/MoG5YTwxpM0d7I=": "lètmein",
    "pbkdf2_sha512$1000$seasalt$MvpYzRb9t8IHUO1U7cCcGPfI+JLcFRBOUbkty+vHmXzMoGO3EGn5ZDxFwkkOHVT55Elz3Qczs2+"
    "FNpDKUjv/RA==": "lètmein",
    # written by passlib 1.7.4
    "$pbkdf2$1000$8PHy8/T19vf4.fr7/P3./w$2dR7RQBzM8AucQZS9jFU./.ZRBA": "lètmein",
    "$pbkdf2-sha256$1000$8PHy8/T19vf4.fr7/P3./w$NLCxhEx13MijqfW7prAglClHI.JU.g8ztpZ9vKGmT6s": "lètmein",
    "$pbkdf2-sha512$1000$8PHy8/T19vf4.fr7/P3./w$G38.kKPBMjhq6JujX0e7u7RNAFJTRe7Cj3TBITWP4weBT/.cgn35E3NdvJUwKJn"
    "WFeLB2iwIl1HxKJw4Dfd2GQ": "lètmein",
}

BCRYPT = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.gkH6UnjS0HnlIFKPrxOxecnCGXTwVua"
BCRYPT_OF_72 = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.mDyzbhj.9K0apb9O/AGMWwoLXiYAu6u"
ARGON2 = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$GjNeeYpKg8VtpnZDSz4cPVffKXLdeSHvhOvoC+8+STk"
DJANGO = "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A="
PASSLIB = "$pbkdf2-sha256$1000$8PHy8/T19vf4.fr7/P3./w$NLCxhEx13MijqfW7prAglClHI.JU.g8ztpZ9vKGmT6s"
CHEAP = [BCRYPT, ARGON2, DJANGO, PASSLIB]


@pytest.mark.parametrize(("hashed", "password"), KNOWN.items())
def test_a_hash_of_another_system_matches_its_password_and_no_other(hashed: str, password: str) -> None:
    check_importable(hashed, pointer="/password_hash")
    assert verify(password, hashed)
    assert not verify(password + "x", hashed)
    assert not verify("", hashed)


def test_bcrypt_matches_72_bytes_and_never_a_longer_password_that_starts_with_them() -> None:
    assert verify("a" * 72, BCRYPT_OF_72)
    assert not verify("a" * 73, BCRYPT_OF_72)
    assert not verify("a" * 71, BCRYPT_OF_72)
    assert not verify("a" * 71 + "á", BCRYPT_OF_72)


@pytest.mark.parametrize("hashed", CHEAP)
@pytest.mark.parametrize("password", ["\0", "lètmein\0", "\ud800", "\U0010ffff" * 1024])
def test_no_password_makes_a_library_raise(hashed: str, password: str) -> None:
    assert not verify(password, hashed)


def vary(hashed: str, *changes: tuple[str, str]) -> list[str]:
    assert all(old in hashed for old, _ in changes)
    return [hashed.replace(old, new, 1) for old, new in changes]


@pytest.mark.parametrize(
    "hashed",
    [
        *vary(BCRYPT, ("$04$", "$15$"), ("2b", "2a"), ("2b", "2y")),
        *vary(ARGON2, ("m=64", "m=1048576"), ("m=64", "m=8"), ("t=2", "t=20"), ("t=2", "t=1")),
        ARGON2.replace("m=64,t=2,p=1", "m=128,t=2,p=16"),
        *vary(DJANGO, ("1000", "5000000"), ("1000", "1"), ("seasalt", "s"), ("=", "")),
        *vary(PASSLIB, ("1000", "5000000"), ("8PHy8/T19vf4.fr7/P3./w", "8A")),
    ],
)
def test_a_hash_within_the_bounds_can_be_imported(hashed: str) -> None:
    check_importable(hashed, pointer="/password_hash")


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "correct horse battery staple",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$2b$04$",
        *vary(BCRYPT, ("2b", "2x"), ("2b", "2"), ("$04$", "$03$"), ("$04$", "$16$"), ("$04$", "$4$")),
        *vary(BCRYPT, ("C.g", "CDg"), ("Vua", "Vub"), ("Vua", "Vu"), ("Vua", "Vuaa"), ("Vua", "Vua\n")),
        *vary(ARGON2, ("m=64", "m=1048577"), ("m=64", "m=7"), ("m=64", "m=0"), ("m=64", "m=064")),
        *vary(ARGON2, ("t=2", "t=21"), ("t=2", "t=0"), ("p=1", "p=17"), ("p=1", "p=9"), ("p=1", "p=0")),
        *vary(
            ARGON2, ("v=19", "v=18"), ("argon2id", "argon2x"), ("STk", "ST"), ("STk", "STl"), ("STk", "STk=")
        ),
        *vary(ARGON2, ("c29tZXNhbHQxMjM0NTY3OA", "c29tZXNhbA"), ("m=64", "m=٦٤")),
        *vary(ARGON2, ("GjNeeYpKg8VtpnZDSz4cPVffKXLdeSHvhOvoC+8+STk", "GjNeeYpKg8VtpnZDSz4c")),
        *vary(ARGON2, ("GjNeeYpKg8VtpnZDSz4cPVffKXLdeSHvhOvoC+8+STk", "A" * 88)),
        *vary(ARGON2, ("c29tZXNhbHQxMjM0NTY3OA", "A" * 88)),
        *vary(
            DJANGO, ("1000", "5000001"), ("1000", "0"), ("1000", "-1"), ("1000", "01000"), ("sha256", "md5")
        ),
        *vary(DJANGO, ("seasalt", ""), ("seasalt", "sea\0salt"), ("X4A=", "X4B="), ("sha256", "sha512")),
        *vary(DJANGO, ("seasalt", "s" * 500)),
        *vary(
            PASSLIB,
            ("1000", "5000001"),
            ("P3./w", "P3./x"),
            ("T6s", "T6t"),
            ("T6s", "T6"),
            ("sha256", "sha512"),
        ),
        *vary(PASSLIB, ("8PHy8/T19vf4.fr7/P3./w", ""), ("8PHy8/T19vf4.fr7/P3./w", "8"), ("1000$", "$")),
    ],
)
def test_any_other_hash_is_refused_in_words_that_say_what_is_taken(hashed: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_importable(hashed, pointer="/users/3/password_hash")
    (error,) = caught.value.errors
    assert error.pointer == "/users/3/password_hash"
    assert error.detail == (
        "Must be a hash of bcrypt ($2a$, $2b$ or $2y$, cost 4 to 15), of Argon2 in PHC form (at most 1 GiB, "
        "t=20, p=16), or of PBKDF2 with SHA-1, SHA-256 or SHA-512 as Django or passlib writes it (at most "
        "5000000 iterations)."
    )
    assert not verify("lètmein", hashed)


@given(st.text(max_size=80))
def test_no_text_makes_the_reading_of_a_hash_raise(text: str) -> None:
    assert not is_readable(text)


@given(st.sampled_from(CHEAP), st.data())
def test_a_changed_salt_or_sum_is_refused_or_matches_nothing(hashed: str, data: st.DataObject) -> None:
    salt = next(hashed.index(start) for start in ("CCC", "c29t", "seasalt", "8PHy8") if start in hashed)
    place = data.draw(st.integers(salt, len(hashed) - 1))
    letter = data.draw(st.sampled_from([*string.ascii_letters, *string.digits, *"./+=$ é"]))
    changed = hashed[:place] + letter + hashed[place + 1 :]
    assert verify("lètmein", changed) == (changed == hashed)

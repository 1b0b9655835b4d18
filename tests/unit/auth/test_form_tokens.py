from app.auth.form_tokens import FormTokens

TOKENS = FormTokens("a secret of the tests, long enough")


def test_a_token_is_good_in_its_browser_and_for_its_session_alone() -> None:
    token = TOKENS.make("browser", "session")
    assert TOKENS.fits(token, "browser", "session")
    assert not TOKENS.fits(token, "another", "session")
    assert not TOKENS.fits(token, "browser", "another")
    assert not TOKENS.fits(token, "browser\nsession", "")
    assert not FormTokens("another secret of the tests, long").fits(token, "browser", "session")


def test_no_two_tokens_and_no_two_cookies_are_alike() -> None:
    assert TOKENS.make("browser", "") != TOKENS.make("browser", "")
    assert TOKENS.make_cookie() != TOKENS.make_cookie()


def test_what_is_no_token_is_refused() -> None:
    for token in ("", "x", "ä", "A" * 64, TOKENS.make("browser", "") + "="):
        assert not TOKENS.fits(token, "browser", "")

"""The answer to an authorization request as HTTP: a redirect, or a page whose form posts itself."""

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse, Response

from app.core.catalogue import LANGUAGES, Language, texts
from app.oauth.authorization import Redirect

_SUBMIT = "document.forms[0].submit()"
_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
_POLICY = f"default-src 'none'; script-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
"""Without `form-action`, which Chromium applies to the redirects that follow the form, too
(w3c/webappsec-csp, issue 8): the client may send the browser on to any address."""
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><title>{title}</title>
<form method="post" action="{action}">{fields}<button>{button}</button></form>
<script>{script}</script></html>
"""


def answer(redirect: Redirect, language: Language = LANGUAGES[0]) -> Response:
    """303, so that no form of a page is sent on to the client (RFC 9700, section 4.12)."""
    if redirect.mode == "form_post":
        return HTMLResponse(_page(redirect, language), headers={"Content-Security-Policy": _POLICY})
    return Response(status_code=303, headers={"Location": redirect.location})


def _page(redirect: Redirect, language: Language) -> str:
    """OAuth 2.0 Form Post Response Mode; the button is for browsers without JavaScript."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in redirect.parameters.items()
    )
    return _PAGE.format(
        language=language,
        title=escape(texts(language)["back.title"]),
        action=escape(redirect.uri),
        fields=fields,
        button=escape(texts(language)["back.button"]),
        script=_SUBMIT,
    )

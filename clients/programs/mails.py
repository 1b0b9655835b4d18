"""Every mail in Chromium, as `mail preview` writes it: axe-core finds nothing, and nothing is loaded."""

from itertools import product
from pathlib import Path
from typing import Any, Final

from clients.programs import axe, chromium
from clients.programs.harness import MAILS, PICTURES, step

_SCHEMES: Final = ("light", "dark")
_WIDTHS: Final = (320, 1280)
_OF_A_SITE: Final = ("region", "landmark-one-main")
"""Rules for whole pages: a mail program shows a mail within its own."""


def _look(scheme: Any, width: int) -> list[str]:
    """What is wrong in one way of looking."""
    wrong: list[str] = []
    size: Any = {"width": width, "height": 800}
    with chromium.opened(color_scheme=scheme, viewport=size) as page:
        page.on("request", lambda request: wrong.append(f"asked for {request.url}"))
        for path in sorted(Path(MAILS).glob("*.html")):
            page.set_content(path.read_text())
            found = axe.judge(page, without=_OF_A_SITE)
            wrong += [f"{path.stem}, {scheme}, {width} px: {each}" for each in found]
            picture = f"mail-{path.stem}-{scheme}-{width}.png"
            page.screenshot(path=Path(PICTURES) / picture, full_page=True)
    return wrong


def main() -> None:
    wrong = [each for scheme, width in product(_SCHEMES, _WIDTHS) for each in _look(scheme, width)]
    count = len(list(Path(MAILS).glob("*.html")))
    assert not wrong, "\n".join(wrong)
    assert count, "there is no mail"
    widths = " and ".join(map(str, _WIDTHS))
    with step(f"{count} mails, light and dark, at {widths} px: no finding, and nothing loaded"):
        pass


main()

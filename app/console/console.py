"""The page of the console, in each language, and the policy that it is under."""

from pathlib import Path
from urllib.parse import urlsplit

import orjson
from markupsafe import Markup

from app.clients import CONSOLE
from app.console.assets import STYLE, Assets
from app.core.catalogue import LANGUAGES, TAGS, Language, texts
from app.core.settings import Settings
from app.pages.brand import Brand

_PAGE = Markup((Path(__file__).parent / "static" / "index.html").read_text("utf-8"))  # noqa: S704 - our own
_PRELOADED = ("vendor/", "lib/", "components/", "kit.js", "views.js")
"""What every view needs: a browser would find it only import by import."""
_FRONT = "people"
"""The view where nobody asks for one."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing leaves the origin, and no text becomes markup, not even by mistake. `data:` is the empty icon."""


class Console:
    def __init__(self, settings: Settings, brand: Brand) -> None:
        self.assets = Assets(brand)
        self._brand = brand
        self._issuer = settings.issuer_url
        self.policy = POLICY.replace("connect-src 'self'", f"connect-src 'self' {_bucket(settings)}".strip())

    def render(self, language: Language, *, root: str, place: str) -> str:
        """The page at a place; `root`: the path under which a proxy has the service."""
        files = f"{root}/console/files/{self.assets.version}"
        told = {
            "root": root,
            "files": files,
            "issuer": self._issuer,
            "client": CONSOLE.id,
            "language": language,
            "languages": {each: texts(each)["page.language_name"] for each in LANGUAGES},
            "brand": self._brand.name,
            "logo": self._brand.logo is not None,
        }
        view = f"views/{place.partition('/')[0] or _FRONT}"
        modules = (name for name in self.assets.files if name.startswith((*_PRELOADED, view)))
        preload = Markup('<link rel="modulepreload" href="{}">\n')
        return _PAGE.format(
            tag=TAGS[language],
            brand=self._brand.name,
            icon=f"{root}/auth/logo" if self._brand.logo else "data:,",
            files=files,
            style=STYLE,
            language=language,
            preloads=Markup().join(preload.format(f"{files}/{name}") for name in modules),
            config=orjson.dumps(told).decode(),
            scripts=texts(language)["console.shell.needs_scripts"],
        )


def _bucket(settings: Settings) -> str:
    """The origin of signed URLs, where clients are sent to the bucket."""
    if not settings.files_direct:
        return ""
    address = settings.files_public_endpoint or settings.files_endpoint
    store = urlsplit(address or f"https://s3.{settings.files_region}.amazonaws.com")
    bucket = "" if settings.files_path_style else f"{urlsplit(settings.files_url or '').netloc}."
    return f"{store.scheme}://{bucket}{store.netloc}"

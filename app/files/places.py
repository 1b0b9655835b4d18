"""Places: buckets of the operator's, in which copies of files may be left."""

from contextlib import aclosing

from app.core.errors import FieldError, InvalidError
from app.core.settings import Settings
from app.files.s3 import S3
from app.files.stored_file import StoredFile


class Places:
    """The places that the operator allows; nobody else's address can be written to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._allowed = settings.export_buckets

    def check(self, destination: str) -> None:
        """InvalidError: it is not below a place that the operator allows."""
        if not any(destination.startswith(f"{place}/") for place in self._allowed):
            allowed = " or ".join(self._allowed)
            detail = f"Must be below {allowed}." if allowed else "The operator allows no buckets."
            raise InvalidError(
                "The file cannot be left there.", errors=(FieldError(detail, pointer="/destination"),)
            )

    async def leave(self, file: StoredFile, destination: str, content_type: str) -> None:
        """Copy a file to the destination, in place of what is there. InvalidError, UnavailableError."""
        self.check(destination)
        bucket, _, key = destination.removeprefix("s3://").partition("/")
        place = S3(self._settings, f"s3://{bucket}")
        name = key.rpartition("/")[2]
        content = file.read(0, file.length)
        async with aclosing(content), place.writing_to(key, name, content_type) as sink:
            async for chunk in content:
                await sink.write(chunk)

"""Files: their kinds, the collections of each, and the indexes of these."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from pymongo import IndexModel

FileKind = Literal["exports", "imports", "avatars"]
StoreName = Literal["gridfs", "s3"]
STORES: Final[tuple[StoreName, ...]] = get_args(StoreName)
BUCKETS: Final[Mapping[FileKind, str]] = {
    "imports": "import_files",
    "exports": "export_files",
    "avatars": "avatar_files",
}
"""GridFS's name for what holds a kind.

Entries of both stores are in `<bucket>.files`; the content of those in GridFS is in `<bucket>.chunks`.
"""


def indexes() -> dict[str, list[IndexModel]]:
    """The indexes that GridFS makes itself, and one of expiry."""
    declared: dict[str, list[IndexModel]] = {}
    for bucket in BUCKETS.values():
        declared[f"{bucket}.files"] = [
            IndexModel([("filename", 1), ("uploadDate", 1)]),
            IndexModel([("metadata.expires_at", 1)], name="expires_at"),
        ]
        declared[f"{bucket}.chunks"] = [IndexModel([("files_id", 1), ("n", 1)], unique=True)]
    return declared

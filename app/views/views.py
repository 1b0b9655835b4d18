"""The views of the list of users: made, listed, read, replaced and deleted.

People see their own views and all shared ones. A shared view is changed by its maker and by administrators,
and stays when its maker is deleted, as others work with it; private ones go with them (`app.users.changes`).
"""

from dataclasses import dataclass

from bson import ObjectId
from pymongo import ReturnDocument

from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import (
    FieldError,
    InsufficientScopeError,
    InvalidError,
    PreconditionFailedError,
    TooManyViewsError,
    ViewNotFoundError,
)
from app.core.mongo import AWARE, Database, Row
from app.core.paging import Page, newest_first
from app.listing import Listing
from app.users import AllowedVersions
from app.users.authority import ADMIN
from app.views.checks import check
from models.job import PageQuery
from models.view import MOST_VIEWS, StoredView, ViewInput

_SAID = tuple(name for name in ViewInput.model_fields if name != "is_shared")


@dataclass(frozen=True, slots=True)
class ViewUser:
    """A person who uses views."""

    id: ObjectId
    is_admin: bool

    @property
    def seen(self) -> Row:
        """The filter of what they see."""
        return {"private_to": {"$in": [self.id, None]}}

    @property
    def changed(self) -> Row:
        """The filter of what they may change, besides `seen`."""
        return {} if self.is_admin else {"created_by": self.id}


class Views:
    """The stored views, of which each method does what its caller may do."""

    def __init__(self, database: Database, listing: Listing, cursors: CursorSealer) -> None:
        self._views = database.get_collection(StoredView.Settings.name, codec_options=AWARE)
        self._listing = listing
        self._cursors = cursors

    async def create(self, asked: ViewInput, user: ViewUser) -> Row:
        """The new view. InvalidError; TooManyViewsError where they have as many as is allowed."""
        check(asked, self._listing)
        moment = now()
        view = {
            "_id": ObjectId(),
            **_stored(asked, user.id),
            "created_by": user.id,
            "created_at": moment,
            "updated_at": moment,
            "version": 1,
        }
        await self._views.insert_one(view)
        of_them = {"created_by": user.id}
        if await self._views.count_documents(of_them, limit=MOST_VIEWS + 1) > MOST_VIEWS:
            # counted afterwards, so that of several at once none gets past the bound
            await self._views.delete_one({"_id": view["_id"]})
            raise TooManyViewsError(f"You have {MOST_VIEWS} views: delete one that is not used.")
        return view

    async def page(self, asked: PageQuery, user: ViewUser) -> Page[Row]:
        """A page of their own and of shared views, the newest first."""
        return await newest_first(self._views, self._cursors, user.seen, asked)

    async def read(self, view_id: ObjectId, user: ViewUser) -> Row:
        """One view. ViewNotFoundError: unknown, deleted, or somebody else's own."""
        view = await self._views.find_one({"_id": view_id, **user.seen})
        if view is None:
            raise _not_found()
        return view

    async def replace(
        self, view_id: ObjectId, asked: ViewInput, versions: AllowedVersions, user: ViewUser
    ) -> Row:
        """The view after a replacement. Errors as `read`, and those of a change; InvalidError."""
        check(asked, self._listing)
        view = await self._read_to_change(view_id, versions, user)
        if not asked.is_shared and view["created_by"] != user.id:
            detail = "Cannot become false: only its maker could see the view then. Delete it instead."
            raise InvalidError(
                "The view is somebody else's.", errors=(FieldError(detail, pointer="/is_shared"),)
            )
        changed = await self._views.find_one_and_update(
            {"_id": view_id, **user.seen, **user.changed, **_at(versions)},
            {"$set": _stored(asked, user.id) | {"updated_at": now()}, "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if changed is None:  # somebody was quicker
            await self._read_to_change(view_id, versions, user)
            raise _not_found()
        return changed

    async def delete(self, view_id: ObjectId, versions: AllowedVersions, user: ViewUser) -> None:
        """Delete a view. Errors as `read`, and those of a change."""
        await self._read_to_change(view_id, versions, user)
        gone = await self._views.delete_one({"_id": view_id, **user.seen, **user.changed, **_at(versions)})
        if not gone.deleted_count:
            await self._read_to_change(view_id, versions, user)

    async def _read_to_change(self, view_id: ObjectId, versions: AllowedVersions, user: ViewUser) -> Row:
        """The view. InsufficientScopeError: somebody else's; PreconditionFailedError: another version."""
        view = await self.read(view_id, user)
        if view["created_by"] != user.id and not user.is_admin:
            raise InsufficientScopeError(ADMIN)
        if versions is not None and view["version"] not in versions:
            raise PreconditionFailedError("The view has changed since the version that the request names.")
        return view


def _not_found() -> ViewNotFoundError:
    return ViewNotFoundError("There is no view with this id, or it is not shared with you.")


def _stored(asked: ViewInput, user_id: ObjectId) -> Row:
    said = {name: getattr(asked, name) for name in _SAID}
    return said | {"private_to": None if asked.is_shared else user_id}


def _at(versions: AllowedVersions) -> Row:
    return {} if versions is None else {"version": {"$in": sorted(versions)}}

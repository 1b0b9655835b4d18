"""SCIM's users, kept as users of the directory with a link of their client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import SecretStr, ValidationError
from pymongo.asynchronous.client_session import AsyncClientSession
from scim2_models import NotFoundException, PreconditionFailedException, Resource, SearchRequest
from scim2_server.storage import SearchPage

from app import accounts
from app.accounts import Auth
from app.audit.write import Entry
from app.auth.passwords import check_policy
from app.core.errors import InvalidError, QueryTooExpensiveError, WriteConflictError
from app.core.field_errors import from_validation
from app.core.mongo import Row
from app.listing.orders import ORDERS
from app.scim import filters, mapping
from app.scim.authority import Provisioner
from app.scim.links import Links
from app.scim.models import ScimUser
from app.users import Users, user_records
from models.account import PasswordSetting
from models.user import UserInput, UserPatch

_UNSAID = ("id", "meta", "password", "groups", "schemas")
"""What is not kept of a resource: the server sets it, or keeps it elsewhere."""
_LOOKED_AT = 1_000
"""Users whose links are looked up at once."""
_LAST_START = 2**31
"""What MongoDB can skip, and more users than there are."""
_MOST_WALKED = 100_000
"""Users of a filter that a search looks through: of more, what it finds cannot be counted in time."""


@dataclass(frozen=True, slots=True)
class ScimUsers:
    """The users of one client."""

    users: Users
    auth: Auth
    links: Links
    authority: Provisioner

    async def get(self, resource_id: str) -> Resource[Any]:
        row, link = await self._read(resource_id)
        return _resource(row, link)

    async def create(self, resource: ScimUser) -> Resource[Any]:
        """The new user. UniqueConflictError also where it is not this client's."""
        said = _said(resource)
        values = _valid(mapping.read(said), UserInput)
        self.authority.check_standing(values)
        password = resource.password
        new = user_records.record(self.users.settle(values))
        if password is not None:
            check_policy(password, pointer="/password", about=(values.name, values.email, values.username))

        link: Row = {}

        async def add_link(_: list[Entry], session: AsyncClientSession) -> None:
            link.update(await self.links.add(new.id, said, session))

        row = await self.users.insert(new, self.authority.author, also=add_link)
        if password is not None:
            await self._set_password(row, password)
        return _resource(row, link)

    async def update(self, resource: ScimUser, version: str | None) -> Resource[Any]:
        row, link = await self._read(str(resource.id))
        if version is not None and version != _version(row, link):
            raise PreconditionFailedException
        said = _said(resource)
        changed = link

        async def relink(_: list[Entry], session: AsyncClientSession) -> None:
            nonlocal changed
            changed = await self._relink(link, said, session)

        changes = _valid(mapping.read(said), UserPatch)
        password = resource.password
        if password is not None:
            check_policy(password, pointer="/password", about=(changes.name, changes.email, changes.username))
        row = await self.users.patch(
            PydanticObjectId(row["_id"]),
            changes,
            frozenset({row["version"]}),
            authority=self.authority,
            also=relink,
        )
        if changed is link and said != link["said"]:
            changed = await self._relink(link, said)
        if password is not None:  # last: a change that is refused ends no sessions
            await self._set_password(row, password)
            row, _ = await self._read(str(row["_id"]))
        return _resource(row, changed)

    async def _relink(
        self, link: Row, said: Mapping[str, Any], session: AsyncClientSession | None = None
    ) -> Row:
        changed = await self.links.change(link, said, session)
        if changed is None:
            raise WriteConflictError("The client changed this user at the same time; try again.")
        return changed

    async def delete(self, resource_id: str, version: str | None) -> None:
        row, link = await self._read(resource_id)
        if version is not None and version != _version(row, link):
            raise PreconditionFailedException
        await self.users.delete(PydanticObjectId(row["_id"]), authority=self.authority)

    async def search(self, request: SearchRequest[Any]) -> SearchPage:
        start = request.start_index_0 or 0
        count = request.count or 0
        if start > _LAST_START:
            raise InvalidError(f"startIndex is at most {_LAST_START}.")
        if request.filter is None and request.sort_by is None:
            return await self._page(start, count)
        return await self._find(request, start, count)

    async def _page(self, start: int, count: int) -> SearchPage:
        """All users of the client, in the order of their ids."""
        total = await self.links.count()
        links = await self.links.page(skip=start, limit=count) if count else []
        rows = await self._rows([link["target"] for link in links])
        own = ((rows.get(link["target"]), link) for link in links)
        return SearchPage(total, [_resource(row, link) for row, link in own if row is not None])

    async def _find(self, request: SearchRequest[Any], start: int, count: int) -> SearchPage:
        """What a filter finds, in an order: of the users of an index those with a link are the client's."""
        matching: Row = {}
        if request.filter is not None:
            conditions = await filters.read(request.filter, self.links, self.auth.settings.phone_region)
            conditions.check()
            matching = conditions.clause
        order = filters.order(request.sort_by) if request.sort_by is not None else "created_at"
        direction = -1 if request.sort_order == SearchRequest.SortOrder.descending else 1
        found: list[tuple[Row, Row]] = []
        total = walked = 0
        cursor = self.users.collection.find(matching, user_records.PUBLIC).sort(
            [(ORDERS[order].path, direction), ("_id", direction)]
        )
        batch: list[Row] = []
        async with cursor.max_time_ms(self.auth.settings.query_budget_ms * 5):
            async for row in cursor:
                batch.append(row)
                if len(batch) == _LOOKED_AT:
                    total += await self._keep(batch, found, start + count)
                    walked, batch = walked + len(batch), []
                    if walked >= _MOST_WALKED:
                        raise QueryTooExpensiveError("Too many users meet the filter: narrow it.")
        total += await self._keep(batch, found, start + count)
        return SearchPage(total, [_resource(row, link) for row, link in found[start : start + count]])

    async def _keep(self, batch: list[Row], found: list[tuple[Row, Row]], most: int) -> int:
        """Add the client's own of these up to `most`; how many are."""
        links = await self.links.find_all(row["_id"] for row in batch)
        own = [(row, links[row["_id"]]) for row in batch if row["_id"] in links]
        found += own[: most - len(found)]
        return len(own)

    async def _rows(self, ids: list[ObjectId]) -> dict[ObjectId, Row]:
        found = self.users.collection.find({"_id": {"$in": ids}}, user_records.PUBLIC)
        return {row["_id"]: row async for row in found}

    async def _read(self, resource_id: str) -> tuple[Row, Row]:
        """The user and its link. NotFoundException also for users of others."""
        if not ObjectId.is_valid(resource_id):
            raise NotFoundException(detail=f"There is no user with the id {resource_id[:64]}.")
        target = ObjectId(resource_id)
        if (link := await self.links.find(target)) is None:
            raise NotFoundException(detail=f"There is no user with the id {resource_id}.")
        return await self.users.read(PydanticObjectId(target)), link

    async def _set_password(self, row: Row, password: str) -> None:
        setting = PasswordSetting(password=SecretStr(password))
        await accounts.set_password(self.auth, str(row["_id"]), setting, authority=self.authority, by=None)


def _said(resource: ScimUser) -> dict[str, Any]:
    said: dict[str, Any] = resource.model_dump(mode="json")
    return {name: value for name, value in said.items() if name not in _UNSAID}


def _valid(values: dict[str, Any], model: type[Any]) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidError("The user is not valid.", errors=from_validation(error, values)) from None


def _version(row: Row, link: Row) -> str:
    return f'W/"{row["version"]}.{link["revision"]}"'


def _resource(row: Row, link: Row) -> Resource[Any]:
    """The user as the client said it, with what others changed since."""
    shown = mapping.show(link["said"], row)
    changed_at = max(_aware(row["updated_at"]), link["changed_at"])
    return ScimUser.model_validate(
        shown
        | {
            "schemas": [mapping.CORE, *([mapping.ENTERPRISE] if mapping.ENTERPRISE in shown else [])],
            "id": str(row["_id"]),
            "meta": {
                "resourceType": "User",
                "created": _aware(row["created_at"]),
                "lastModified": changed_at,
                "version": _version(row, link),
            },
        }
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

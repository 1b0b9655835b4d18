"""A small application dressed like the real one, for the tests of the HTTP edge."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import httpx
from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from pymongo import errors as mongo
from redis.exceptions import ConnectionError as RedisConnectionError

from app.core.errors import UnavailableError, UserNotFoundError
from app.http import docs, error_handlers
from app.http.json_route import JsonRoute
from app.http.middleware import BodyLimit, HeadAsGet, RequestContext
from app.http.problems import BODY, responses
from routers import health


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Address(Strict):
    zipcode: str = Field(max_length=10)


class Profile(Strict):
    age: int | None = Field(default=None, ge=0, le=150)
    addresses: list[Address] = Field(default=[], max_length=10)


class Person(Strict):
    name: str
    email: EmailStr | None = None
    password: str | None = Field(default=None, min_length=8)
    profile: Profile = Profile()


class Create(Strict):
    op: Literal["create"]
    user: Person


class Delete(Strict):
    op: Literal["delete"]
    id: str


class Batch(Strict):
    operations: list[Annotated[Create | Delete, Field(discriminator="op")]]


router = APIRouter(route_class=JsonRoute)


@router.post("/users", status_code=201, responses=responses(*BODY))
async def create_user(person: Person) -> Person:
    return person


@router.get("/users", responses=responses(UnavailableError))
async def list_users(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> list[int]:
    return [limit]


@router.get("/users/{user_id}", responses=responses(UserNotFoundError))
async def read_user(user_id: str) -> Person:
    msg = f"No user has the id {user_id}."
    raise UserNotFoundError(msg)


@router.patch("/users/{user_id}")
async def patch_user(user_id: str, person: Person) -> dict[str, str]:
    return {"id": user_id, "name": person.name}


@router.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: str) -> None: ...


@router.post("/users:batch")
async def change_users(batch: Batch) -> int:
    return len(batch.operations)


@router.post("/optional")
async def post_optional(person: Person | None = None) -> bool:
    return person is not None


@router.get("/broken")
async def break_down() -> None:
    msg = "the secret plan of ana@example.com"
    raise RuntimeError(msg)


@router.get("/mongo/{kind}")
async def ask_mongo(kind: str) -> None:
    raise {
        "away": mongo.ServerSelectionTimeoutError("no primary"),
        "slow": mongo.ExecutionTimeout("operation exceeded time limit", 50, {}),
        "stepped_down": mongo.OperationFailure("stepped down", 189, {}),
        "duplicate": mongo.DuplicateKeyError('E11000 dup key: { email: "ana@example.com" }', 11000, {}),
    }[kind]


@router.get("/redis")
async def ask_redis() -> None:
    msg = "Error 111 connecting to 10.0.0.7:6379"
    raise RedisConnectionError(msg)


@router.get("/stream")
async def stream(*, fail: bool = False) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"row\r\n"
        if fail:
            msg = "the cursor died"
            raise RuntimeError(msg)

    return StreamingResponse(chunks(), media_type="text/csv")


def make_app() -> FastAPI:
    app = FastAPI(title="Small", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(health.router)
    app.include_router(router)
    app.include_router(router, prefix="/v2", include_in_schema=False)
    error_handlers.install(app)
    docs.install(app)
    app.add_middleware(BodyLimit, default=10_000, overrides={"/users:batch": 4_000_000})
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestContext)
    return app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://roster")

"""The tutorial's manner over our documents: Beanie documents through response_model, exports in memory."""

import csv
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from beanie import Document, Indexed, init_beanie
from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse
from openpyxl import Workbook
from pydantic import BaseModel, EmailStr
from pymongo import AsyncMongoClient

from benchmarks.regex import matching


class Address(BaseModel):
    label: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    zipcode: str | None = None
    country: str | None = None


class Profile(BaseModel):
    bio: str | None = None
    age: int | None = None
    title: str | None = None
    department: str | None = None
    addresses: list[Address] = []


class User(Document):
    username: str | None = None
    email: Annotated[EmailStr, Indexed(unique=True)]
    name: str
    phone: str | None = None
    avatar_url: str | None = None
    locale: str | None = None
    tags: list[str]
    scopes: list[str]
    is_active: bool = True
    profile: Profile | None = None
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None = None
    last_login_ip: str | None = None
    version: int = 1

    class Settings:
        name = "users"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(os.environ["MONGO_URI"])
    await init_beanie(database=client.get_default_database(), document_models=[User], skip_indexes=True)
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)


@app.get("/users")
async def list_users(
    keyword: Annotated[str | None, Query()] = None, skip: int = 0, limit: int = 10
) -> list[User]:
    query = {"name": {"$regex": keyword, "$options": "i"}} if keyword else {}
    return await User.find(query).skip(skip).limit(limit).to_list()


@app.get("/users/search")
async def search_users(q: str, limit: int = 10) -> list[User]:
    return await User.find(matching(q)).sort("name").limit(limit).to_list()


@app.get("/users/export/csv")
async def export_csv() -> StreamingResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "email", "age"])
    for user in await User.find_all().to_list():
        writer.writerow([user.name, user.email, user.profile.age if user.profile else ""])
    out.seek(0)
    return StreamingResponse(out, media_type="text/csv")


@app.get("/users/export/excel")
async def export_excel() -> StreamingResponse:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet
    sheet.append(["name", "email", "age"])
    for user in await User.find_all().to_list():
        sheet.append([user.name, user.email, user.profile.age if user.profile else ""])
    out = io.BytesIO()
    workbook.save(out)
    out.seek(0)
    return StreamingResponse(
        out, media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )

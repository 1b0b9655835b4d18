"""A mail server and a service that sends by it, shared by the tests of a module."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.mail import outbox_of
from tests.support.mail_server import MailServer, running


@pytest.fixture(scope="module")
async def post_office() -> AsyncIterator[MailServer]:
    server = MailServer()
    async with running(server):
        yield server


@pytest.fixture(scope="module")
async def sending_module(
    post_office: MailServer, prepared_databases: PreparedDatabases
) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(
        jobs_inside=True,
        smtp_url=post_office.url,
        smtp_timeout_s=1,
        smtp_connections=2,
        mail_from="Roster <roster@users.example.com>",
    ) as client:
        yield client


@pytest.fixture
async def sender(sending_module: httpx.AsyncClient, post_office: MailServer) -> httpx.AsyncClient:
    """A service that sends, whose outbox and mail server are as new."""
    await outbox_of(sending_module).mails.delete_many({})
    post_office.reset()
    return sending_module

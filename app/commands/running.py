"""Shared by commands: consoles, a progress bar, the backends, one event loop, and how errors are told."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, SecretStr, ValidationError
from rich.console import Console
from rich.progress import Progress

from app import container
from app.commands import embedded, unknown_settings
from app.core import settings
from app.core.errors import RosterError
from app.core.field_errors import from_validation
from app.core.settings import Settings
from app.monitoring import logs

out = Console(soft_wrap=True, highlight=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def show_once(text: str) -> None:
    """Print what cannot be shown again: on stderr where stdout cannot take it."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        err.print(text, markup=False)


def read_input(model: type[M], given: Mapping[str, Any]) -> M:
    """The model of what was typed. BadParameter says what is wrong first."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise typer.BadParameter(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None


def progress() -> Progress:
    return Progress(console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def backends(config: Settings, *, own: bool = False) -> Iterator[tuple[Settings, bool]]:
    """Settings with both backends, and whether MongoDB is embedded; starts the backends that are not set.

    Unless they must be its `own`, a command shares the embedded servers of a process that already runs them.
    """
    logs.set_up(config)
    unknown_settings.tell()
    leave_on_sigterm(status=128 + signal.SIGTERM)
    needs = {"mongo": config.mongo_uri is None, "redis": config.redis_url is None}
    with embedded.running(config.data_dir, **needs, share=not own) as servers:
        uris = {"mongo_uri": servers.mongo_uri, "redis_url": servers.redis_url}
        started = {name: uri for name, uri in uris.items() if uri is not None}
        found: dict[str, Any] = {name: SecretStr(uri) for name, uri in started.items()}
        if needs["mongo"] and config.smtp_url is None:
            found["mail_folder"] = config.mail_folder or config.data_dir / "mail"
            started["mail_folder"] = str(found["mail_folder"])
        for name, value in {**started, "host": config.host, "port": str(config.port)}.items():
            os.environ[f"ROSTER_{name.upper()}"] = value  # for the worker processes
        yield config.model_copy(update=found), needs["mongo"]


def leave_on_sigterm(*, status: int) -> None:
    """Let SIGTERM unwind the stack, so that whatever was started is stopped."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(status)

    signal.signal(signal.SIGTERM, leave)


def run(
    work: Callable[[container.Container], Coroutine[Any, Any, T]],
    config: Settings,
    *,
    apply_indexes: bool = True,
    wait_s: float = 0,
) -> T:
    async def work_on_backends() -> T:
        async with container.opened(config, apply_indexes=apply_indexes, sign=False, wait_s=wait_s) as opened:
            return await work(opened)

    return asyncio.run(work_on_backends())


def run_once(
    work: Callable[[container.Container], Coroutine[Any, Any, T]], *, apply_indexes: bool = False
) -> T:
    """Run a command's work with the backends that the settings name, or the embedded ones.

    It exits with 1 and a sentence if the work is refused.
    """
    try:
        with backends(settings.load()) as (config, _):
            return run(work, config, apply_indexes=apply_indexes)
    except RosterError as error:
        err.print(error.detail, markup=False)
        raise typer.Exit(1) from None


def report(wrong: Iterable[str], *, whole: str) -> None:
    """Print what a check found; exit 1 if it is anything."""
    found = list(wrong)
    for sentence in found or [whole]:
        out.print(sentence, markup=False)
    if found:
        raise typer.Exit(1)


def refuse(*sentences: str) -> NoReturn:
    for sentence in sentences:
        err.print(sentence, markup=False)
    raise typer.Exit(2)


def refuse_error(error: RosterError) -> NoReturn:
    refuse(error.detail, *(bad.detail for bad in error.errors))


def refuse_options(error: ValidationError, given: Any, model: Any = None) -> NoReturn:
    """Refuse what options say, by their names."""
    found = from_validation(error, given, model)
    refuse(*(f"{(bad.pointer or '/')[1:]}: {bad.detail}" for bad in found))

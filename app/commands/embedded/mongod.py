"""A private mongod: a replica set of one node, as transactions and change streams need one."""

import contextlib
import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from app.commands.embedded import ports

REPLICA_SET = "roster"
_NOT_INITIALIZED = 94
_OPLOG_MB = 256  # mongod's default is a twentieth of the disk

_NO_SOCKET_FILE = () if sys.platform == "win32" else ("--nounixsocket",)

_Client = MongoClient[dict[str, Any]]


def command(binary: Path, data: Path, port: int, *, cache_gb: float = 0.5) -> list[str]:
    return [
        *(str(binary), "--dbpath", str(data), "--port", str(port), "--bind_ip", ports.LOOPBACK),
        *("--replSet", REPLICA_SET, "--oplogSize", str(_OPLOG_MB), "--wiredTigerCacheSizeGB", str(cache_gb)),
        # the embedded 6.0.5 reads beyond zlib's output (CVE-2025-14847): only snappy is offered
        *("--networkMessageCompressors", "snappy"),
        *("--noscripting", "--quiet", *_NO_SOCKET_FILE),
        # the transaction of a killed process locks its users no longer than this
        *("--setParameter", "transactionLifetimeLimitSeconds=20"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # it would wait up to 15 seconds for secondaries, and has none
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
    ]


def uri(port: int, database: str = "roster") -> str:
    return f"mongodb://{ports.LOOPBACK}:{port}/{database}?replicaSet={REPLICA_SET}"


def settle(port: int) -> int | None:
    """Bring the node one step closer to being primary of its own set; its pid once it is."""
    if not ports.is_listening(port):  # known sooner than by the driver, which looks every half second
        return None
    # Not listening yet, still loading its configuration or in an election: the next step will see.
    with contextlib.suppress(PyMongoError), _connect(port) as client:
        if client.admin.command("hello")["isWritablePrimary"]:
            return int(client.admin.command("serverStatus")["pid"])
        _configure(client, f"{ports.LOOPBACK}:{port}")
    return None


def _connect(port: int) -> _Client:
    return MongoClient(
        ports.LOOPBACK,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=1_000,
        socketTimeoutMS=30_000,  # initiating a set writes the oplog file, slowly on a slow disk
    )


def _configure(client: _Client, host: str) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != _NOT_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
        return
    if config["members"][0]["host"] != host:
        # Its old port was taken, so it is not in its own set: only force can rename the one member.
        config["members"][0]["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)

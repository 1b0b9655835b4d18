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
_OPLOG_MB = 256  # mongod's own default is a twentieth of the disk

_NO_SOCKET_FILE = () if sys.platform == "win32" else ("--nounixsocket",)

_Client = MongoClient[dict[str, Any]]


def command(binary: Path, data: Path, port: int, *, cache_gb: float = 0.5) -> list[str]:
    return [
        *(str(binary), "--dbpath", str(data), "--port", str(port), "--bind_ip", ports.LOOPBACK),
        *("--replSet", REPLICA_SET, "--oplogSize", str(_OPLOG_MB), "--wiredTigerCacheSizeGB", str(cache_gb)),
        # the embedded 6.0.5 reads beyond what zlib unpacked (CVE-2025-14847): it offers snappy alone
        *("--networkMessageCompressors", "snappy"),
        *("--noscripting", "--quiet", *_NO_SOCKET_FILE),
        # what a killed process leaves of a transaction locks its users no longer than this
        *("--setParameter", "transactionLifetimeLimitSeconds=20"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # the 15 seconds it otherwise may wait at a stop are for secondaries, and it has none
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
    ]


def uri(port: int, database: str = "roster") -> str:
    return f"mongodb://{ports.LOOPBACK}:{port}/{database}?replicaSet={REPLICA_SET}"


def settle(port: int) -> int | None:
    """Bring the node one step nearer to being the primary of its own set; its pid when it is."""
    if not ports.is_listening(port):  # sooner known than by the driver, which looks again after half a second
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
        socketTimeoutMS=30_000,  # to initiate a set writes the oplog file, which a slow disk makes long
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
        # Its old port was taken, so it finds itself nowhere in its set: only force can rename the one member.
        config["members"][0]["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)

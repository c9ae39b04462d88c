"""The daemons of a cloud: what is run, with which environment, in which order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from local_cloud import amis
from local_cloud.credentials import DEPLOYER_KEY, SECRET
from local_cloud.processes import recipe
from local_cloud.settings import PROJECT, ROLE_BOUNDARY, Settings

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Daemon:
    """A program of the cloud; ``recipe`` is a fingerprint of what it is made from. A new one restarts it."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    host: str
    port: int
    recipe: str


def _environment(settings: Settings, **extra: str) -> dict[str, str]:
    """Return a clean environment: emulated functions inherit it, so nothing may leak in."""
    return {
        "PATH": _PATH,
        "HOME": str(settings.state),
        "TMPDIR": str(settings.state / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        **extra,
    }


def _daemon(name: str, argv: list[str], env: dict[str, str], host: str, port: int, *made_from: str) -> Daemon:
    # a rebuilt virtual environment has the same path, so its marker is part of the recipe
    marker = Path(argv[0]).parent.parent / "made-from"
    built = marker.read_text() if marker.exists() else ""
    made = recipe(*argv, json.dumps(env, sort_keys=True), built, *made_from)
    return Daemon(name, tuple(argv), env, host, port, made)


def moto(settings: Settings) -> Daemon:
    """EC2, IAM and STS. All of its data is lost when it restarts."""
    images = settings.state / "images.json"
    env = _environment(
        settings,
        PYTHONPATH=str(PROJECT),
        MOTO_ACCOUNT_ID=settings.account_id,
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
        MOTO_AMIS_PATH=str(images),
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        MOTO_ENABLE_AMI_VALIDATION="true",
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="true",
        LAMBDA_INTERFACE_SECONDS=str(settings.lambda_interface_seconds),
        AWS_DEFAULT_REGION=settings.region,
        AWS_ACCESS_KEY_ID=DEPLOYER_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )
    argv = [settings.moto_python, "-m", "local_cloud.moto_server", "-H", "127.0.0.1"]
    argv += ["-p", str(settings.moto_port)]
    made_from = [amis.images_json(), (PROJECT / "local_cloud/moto_server.py").read_text()]
    return _daemon("moto", argv, env, "127.0.0.1", settings.moto_port, *made_from)


def ministack(settings: Settings) -> Daemon:
    """All other services. Lambda functions run in its Python and call the endpoint."""
    env = _environment(
        settings,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(settings.ministack_port),
        MINISTACK_HOST="127.0.0.1",
        LAMBDA_ACCOUNT_CONCURRENCY="1000",  # an account's; else it follows this machine's memory
        MINISTACK_REGION=settings.region,
        MINISTACK_ACCOUNT_ID=settings.account_id,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        STATE_DIR=str(settings.state / "ministack"),
        S3_DATA_DIR=str(settings.state / "ministack/s3"),
        PYTHONPATH=str(PROJECT),
        AWS_ENDPOINT_URL=settings.endpoint,
        # ministack accepts presigned S3 URLs of this pair only, and of the account's number
        AWS_ACCESS_KEY_ID=DEPLOYER_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )
    argv = [settings.ministack_python, "-m", "local_cloud.ministack_server"]
    made_from = _sources("ministack_server.py", "credentials.py")
    return _daemon("ministack", argv, env, "127.0.0.1", settings.ministack_port, *made_from)


def _sources(*patterns: str) -> list[str]:
    """Return the text of this package's own files, so that an edited daemon is restarted.

    moto_server.py is left out: a restart of moto loses the account, so only that file may cause one.
    """
    package = Path(__file__).parent
    files = sorted(file for pattern in patterns for file in package.glob(pattern))
    return [file.read_text() for file in files if file.name != "moto_server.py"]


def router(settings: Settings) -> Daemon:
    """The endpoint."""
    env = _environment(settings, PYTHONPATH=str(PROJECT))
    argv = [settings.moto_python, "-m", "local_cloud.router", settings.name]
    policies = sorted(Path(settings.deployer_policies).glob("*.json")) if settings.deployer_policies else []
    made_from = [settings.file.read_text(), *_sources("*.py", "router/*.py", "iam_simulate/*")]
    made_from += [file.read_text() for file in [ROLE_BOUNDARY, *policies]]
    return _daemon("router", argv, env, "127.0.0.1", settings.endpoint_port, *made_from)


def relay(settings: Settings) -> Daemon:
    """The machines' way to the apt proxy, open while the emulated network has a way to the Internet."""
    env = _environment(settings, PYTHONPATH=str(PROJECT))
    argv = [settings.moto_python, "-m", "local_cloud.relay", settings.name]
    made_from = [settings.file.read_text(), *_sources("*.py")]
    return _daemon("relay", argv, env, settings.gateway, settings.proxy_port, *made_from)


def daemons(settings: Settings) -> list[Daemon]:
    """Return the daemons of a cloud in the order they start."""
    all_of_them = [moto(settings), ministack(settings), router(settings)]
    return [*all_of_them, relay(settings)] if settings.machines else all_of_them

"""More stores for a folder's settings."""

from archiver.settings import toml_text
from tests.homes import Home
from tests.seaweed import Seaweed


def add_store(home: Home, name: str, *, required: bool) -> None:
    """A folder of this name beside the vault, which is not made here."""
    _append(home, name, required, {"kind": "local", "path": name})


def add_bucket(
    home: Home, name: str, server: Seaweed, bucket: str, *, required: bool, **more: object
) -> None:
    """A bucket of a server of the tests, its secret in a file of the folder."""
    secret = home.folder / f"{name}.secret"
    secret.write_text(server.secret_key)
    secret.chmod(0o600)
    key = home.folder / f"{name}.key"
    key.write_text(server.access_key)
    key.chmod(0o600)
    values: dict[str, object] = {
        "kind": "s3", "bucket": bucket, "endpoint": server.endpoint, "region": "us-east-1",
        "addressing": "path", "access_key_id": f"file:{key}", "secret_access_key": f"file:{secret}",
    }  # fmt: skip
    _append(home, name, required, {**values, **more})


def _append(home: Home, name: str, required: bool, values: dict[str, object]) -> None:
    lines = ["", "[[store]]", f"name = {toml_text(name)}", f"required = {str(required).lower()}"]
    for key, value in values.items():
        lines.append(f"{key} = {toml_text(value) if isinstance(value, str) else str(value).lower()}")
    with (home.folder / "archiver.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")

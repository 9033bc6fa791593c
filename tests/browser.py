"""A headless Chromium that tests drive through ChromeDriver, in plain HTTP as W3C's WebDriver defines it."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from tests.programs import require_program

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
"""It runs as root in CI, where it has no sandbox, and asks no host for anything."""
_ANSWER_SECONDS = 180


class Browser:
    """One session."""

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self._address = address
        self._session = ""
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self._session = f"/{self._call('', wanted)['sessionId']}"

    def _call(self, path: str, body: dict[str, Any] | None, method: str = "POST") -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._address}/session{self._session}{path}", data, method=method)  # noqa: S310  # loopback
        with urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            return json.load(answer)["value"]

    def _devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, page: Path) -> None:
        self._call("/url", {"url": page.as_uri()})

    def show(self, *, width: int, dark: bool = False, forced: bool = False) -> None:
        """As on a screen of that width, light or dark, with the system's own colours or not."""
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "forced-colors": "active" if forced else "none",
        }
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        named = [{"name": name, "value": value} for name, value in features.items()]
        self._devtools("Emulation.setEmulatedMedia", features=named)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function with this body returns, or the promise that it returns comes to."""
        return self._call("/execute/sync", {"script": script, "args": list(arguments)})

    def close(self) -> None:
        self._call("", None, "DELETE")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser for as long as it is needed; skip where there is none."""
    chromium, driver = require_program("chromium"), require_program("chromedriver")
    command = [driver, "--port=0"]
    with (
        TemporaryDirectory(prefix="browser") as profile,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process,
    ):
        try:
            address = f"http://127.0.0.1:{_port(process)}"
            options = {"binary": chromium, "args": [*_ARGUMENTS, f"--user-data-dir={profile}"]}
            browser = Browser(address, options)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            process.terminate()


def _port(process: subprocess.Popen[str]) -> int:
    """The port that the driver chose, which it says before it answers."""
    for line in process.stdout or ():
        found = re.search(r"started successfully on port (\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("chromedriver ended before it listened")

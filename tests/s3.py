"""A real S3-compatible server, moto's, in a process of its own that can be stopped and started again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.postgres import free_port

START_SECONDS = 30.0
BUCKET = "pictures"

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


class S3Server:
    """With one bucket. What it holds is gone when it stops."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = tempfile.TemporaryDirectory(prefix="lacquer-s3-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = Path(self._folder.name, "log")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                stdout=output,
                stderr=output,
                env={**os.environ, **ENVIRONMENT},
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._try_to_make_bucket():
            assert time.monotonic() < deadline and self._process.poll() is None, log.read_text()
            time.sleep(0.1)

    def _try_to_make_bucket(self) -> bool:
        """moto takes requests without a signature."""
        request = urllib.request.Request(f"{self.url}/{BUCKET}", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def objects(self) -> list[str]:
        """Keys of all that the bucket holds."""
        with urllib.request.urlopen(f"{self.url}/{BUCKET}?list-type=2", timeout=5) as answer:
            return re.findall("<Key>(.*?)</Key>", answer.read().decode())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()

"""A child worker of `lacquer serve`: settings from the environment, its URL on stdout, gone when its parent is."""

import asyncio
import sys

from media_worker.settings import WorkerSettings
from media_worker.vision.models import ModelUnavailable
from media_worker.worker import announce, serve
from protocol import logs

settings = WorkerSettings()
logs.configure(settings.log_format, settings.log_level)
try:
    asyncio.run(serve(settings, announce, until_stdin_ends=True))
except (ModelUnavailable, OSError) as error:
    print(f"lacquer worker: {error}", file=sys.stderr)
    sys.exit(1)

"""A child worker of `lacquer serve`: settings from the environment, its URL on stdout, gone when its parent is."""

import sys

from media_worker.settings import WorkerSettings
from media_worker.vision.models import ModelUnavailable
from media_worker.worker import announce, run
from protocol import logs

settings = WorkerSettings()
logs.configure(settings.log_format, settings.log_level, addresses=settings.log_addresses)
try:
    run(settings, announce, until_stdin_ends=True)
except (ModelUnavailable, OSError) as error:
    print(f"lacquer worker: {error}", file=sys.stderr)
    sys.exit(1)

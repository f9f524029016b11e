"""What handlers work with, made once by `app.create_app`."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from signaling.collection import Collection
from signaling.kept_blobs import KeptBlobs
from signaling.nail_sets import NailSets
from signaling.routing import Router
from signaling.service import SessionService
from signaling.sessions import Clock
from signaling.settings import Settings
from signaling.store import Store
from signaling.unbroken import Unbroken
from signaling.uploads import Uploads
from signaling.worker_client import WorkerClient
from signaling.workshop import Workshop


@dataclass(frozen=True)
class Context:
    settings: Settings
    store: Store
    blobs: KeptBlobs
    nail_sets: NailSets
    collection: Collection
    router: Router
    workers: WorkerClient
    workshop: Workshop
    sessions: SessionService
    uploads: Uploads
    unbroken: Unbroken
    clock: Clock


CONTEXT = web.AppKey("context", Context)

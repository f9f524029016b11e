"""The web pages: `/` and `/try-on/live` are index.html, `/admin` is the operator's; `/static/…` is all of `web`.

Everything has an ETag and is compressed where the browser takes it. Browsers keep `/static/@VERSION/…` (`shell.py`) for
good; of everything else they ask each time whether it changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

from signaling import security_headers, shell
from signaling.page_files import PageFile, PageFiles
from signaling.settings import SETTINGS
from signaling.urls import base_url

FOREVER = "public, max-age=31536000, immutable"
ASK = "no-cache"


def web_folder() -> Path:
    """Where the `web` package lies. It holds no Python, so it is a namespace package, of which `importlib.resources`
    knows nothing in an editable install (setuptools adds an entry that is no folder)."""
    spec = find_spec("web")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = next((folder for folder in map(Path, folders) if folder.is_dir()), None)
    if found is None:
        raise FileNotFoundError("the `web` folder is not installed")
    return found


def add_pages(app: web.Application, folder: Path | None = None) -> None:
    """`folder` instead of the one that is installed."""
    files = PageFiles(folder or web_folder())

    async def index(request: web.Request) -> web.StreamResponse:
        headers = security_headers.of_page(base_url(request), request.app[SETTINGS].allowed_origins)
        return _response(request, await asyncio.to_thread(shell.index, files), headers)

    async def admin(request: web.Request) -> web.StreamResponse:
        return _response(request, await asyncio.to_thread(shell.index, files, shell.ADMIN), security_headers.ADMIN)

    async def worker(request: web.Request) -> web.StreamResponse:
        return _response(request, await asyncio.to_thread(shell.worker, files), security_headers.WORKER)

    async def static(request: web.Request) -> web.StreamResponse:
        version, name = _versioned(request.match_info["path"])
        file = await asyncio.to_thread(files.get, name)
        # A page of another version, which a deployment has overtaken, must not keep what is not its own.
        right = version is not None and await asyncio.to_thread(shell.is_of, files, version, name)
        return _response(request, file, security_headers.FILE, cache=FOREVER if right else ASK)

    for path in ("/", "/try-on/live", "/try-on/live/"):
        app.router.add_get(path, index)
    for path in ("/admin", "/admin/"):
        app.router.add_get(path, admin)
    app.router.add_get(f"/{shell.WORKER}", worker)
    app.router.add_get("/static/{path:.*}", static)


def _versioned(path: str) -> tuple[str | None, str]:
    """`@abc/main.js` is main.js of version abc."""
    first, _, rest = path.partition("/")
    return (first[1:], rest) if first.startswith("@") else (None, path)


def _response(
    request: web.Request, file: PageFile, headers: Mapping[str, str], *, cache: str = ASK
) -> web.StreamResponse:
    """200 with the file, or 304 where the browser has it already."""
    coding = _coding(request, file)
    tag = f"{file.tag}-{coding}" if coding else file.tag
    ours = {"ETag": f'"{tag}"', "Cache-Control": cache, "Vary": "Accept-Encoding", **headers}
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=ours)
    if coding:
        ours["Content-Encoding"] = coding
    body = file.compressed[coding] if coding else file.body
    charset = "utf-8" if file.content_type.startswith("text/") else None
    return web.Response(body=body, headers=ours, content_type=file.content_type, charset=charset)


def _coding(request: web.Request, file: PageFile) -> str | None:
    """The content coding that the browser takes. Over plain http to other machines, browsers ask for no brotli."""
    taken = [entry.partition(";")[0].strip() for entry in request.headers.get("Accept-Encoding", "").lower().split(",")]
    return next((coding for coding in file.compressed if coding in taken), None)

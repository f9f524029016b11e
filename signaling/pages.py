"""The web page: `/` and `/try-on/live` are index.html, `/static/…` is all of the `web` folder."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

from protocol.errors import NotFound


def web_folder() -> Path:
    """Where the `web` package lies. It holds no Python, so it is a namespace package, of which `importlib.resources`
    knows nothing in an editable install (setuptools adds an entry that is no folder)."""
    spec = find_spec("web")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = next((folder for folder in map(Path, folders) if folder.is_dir()), None)
    if found is None:
        raise FileNotFoundError("the `web` folder is not installed")
    return found


def add_pages(app: web.Application) -> None:
    folder = web_folder()

    async def index(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / "index.html")

    for path in ("/", "/try-on/live", "/try-on/live/"):
        app.router.add_get(path, index)

    async def static(request: web.Request) -> web.StreamResponse:
        """aiohttp's own static route says of a missing file that it is an empty `application/octet-stream`."""
        file = await asyncio.to_thread(_file_in, folder, request.match_info["path"])
        return web.FileResponse(file)

    app.router.add_get("/static/{path:.*}", static)
    app.on_response_prepare.append(_revalidate)


def _file_in(folder: Path, name: str) -> Path:
    """Raises NotFound, also for what lies outside the folder."""
    try:
        file = (folder / name).resolve()
        if file.is_relative_to(folder.resolve()) and file.is_file():
            return file
    except (OSError, ValueError):  # a name too long for the disk, or with a NUL in it
        pass
    raise NotFound(f"there is no file {name!r:.80}")


async def _revalidate(_request: web.Request, response: web.StreamResponse) -> None:
    """Files carry ETag and Last-Modified; browsers ask whether they changed, so a new version shows at once."""
    if isinstance(response, web.FileResponse):
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"

"""The page and its files."""

from __future__ import annotations

import pytest

from signaling.pages import web_folder
from tests.signaling.conftest import Lacquer, refused


@pytest.mark.parametrize("path", ["/", "/try-on/live", "/try-on/live/"])
async def test_the_page_is_served_fresh(lacquer: Lacquer, path: str) -> None:
    response = await lacquer.client.get(path)
    assert (response.status, response.content_type) == (200, "text/html")
    assert response.headers["Cache-Control"] == "no-cache"
    assert "Last-Modified" in response.headers
    again = await lacquer.client.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_files_are_served_and_nothing_else(lacquer: Lacquer) -> None:
    script = await lacquer.client.get("/static/main.js")
    assert script.content_type in ("text/javascript", "application/javascript")
    assert script.headers["Cache-Control"] == "no-cache"
    outside = ("/static/..%2fpyproject.toml", "/static/%2e%2e/pyproject.toml", "/static//etc/passwd")
    for path in ("/static/nothing.js", "/static/", "/static/%00", f"/static/{'x' * 300}", *outside):
        await refused(await lacquer.client.get(path), 404, "not_found")


async def test_unknown_pages_and_methods_are_problems(lacquer: Lacquer) -> None:
    await refused(await lacquer.client.get("/nowhere"), 404, "not_found")
    await refused(await lacquer.client.get("/%ff%fe"), 404, "not_found")
    wrong = await lacquer.client.put("/api/try-on/sessions/")
    await refused(wrong, 405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_the_folder_is_found() -> None:
    assert (web_folder() / "index.html").is_file()

"""The page as it is put together, from files of its own and from those that are shipped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from signaling import shell
from signaling.page_files import PageFiles
from signaling.pages import web_folder

PAGE = """<link rel="stylesheet" href="/static/a.css">
    <link rel="icon" href="/static/icon.svg">
    <script type="module" src="/static/main.js"></script>
"""
FILES = {
    "index.html": PAGE,
    "a.css": "",
    "icon.svg": "",
    "main.js": '/** import("./t.js") */\nimport {\n a\n} from "./a.js";\nimport "./inner/b.js";\nimport("./later.js")',
    "a.js": 'export { b } from "./inner/b.js";\nconst text = "from ./no.js";\n',
    "inner/b.js": "import c from '../c.js';\n",
    "c.js": "",
    "later.js": "",
    "service-worker.js": "// works\n",
}


@pytest.fixture
def files(tmp_path: Path) -> PageFiles:
    (tmp_path / "inner").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return PageFiles(tmp_path)


def test_modules_are_what_is_imported_at_once(files: PageFiles) -> None:
    assert shell.modules(files, "main.js") == ["a.js", "inner/b.js", "c.js"]


def test_the_page_links_one_version_of_its_code(files: PageFiles) -> None:
    text, root = shell.index(files).body.decode(), f"/static/@{shell.code_version(files)}"
    assert f'<link rel="stylesheet" href="{root}/a.css">' in text
    assert f'<script type="module" src="{root}/main.js">' in text
    assert f'    <link rel="modulepreload" href="{root}/inner/b.js">\n' in text
    assert 'href="/static/icon.svg"' in text, "no code: it has one address in every version"
    assert "later.js" not in text


def test_the_service_worker_knows_version_and_files(files: PageFiles) -> None:
    first, rest = shell.worker(files).body.decode().split("\n", 1)
    told = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    root = f"/static/@{shell.code_version(files)}"
    assert told["files"] == ["/", *(f"{root}/{name}" for name in ("a.css", "a.js", "inner/b.js", "c.js", "main.js"))]
    assert rest == "// works\n"


@pytest.mark.parametrize("name", ["index.html", "a.css", "later.js", "service-worker.js"])
def test_whatever_changes_makes_another_version(files: PageFiles, name: str) -> None:
    before = shell.worker(files).body
    assert shell.worker(files).body == before
    (files.folder / name).write_text(FILES[name] + "\n")
    assert shell.worker(files).body != before


def test_all_that_is_shipped_and_imported_is_preloaded() -> None:
    files = PageFiles(web_folder())
    text = shell.index(files).body.decode()
    preloaded = set(re.findall(r'rel="modulepreload" href="/static/@\w+/([^"]+)"', text))
    imported = {
        Path(name).parent.joinpath(path).as_posix()
        for loaded in (*preloaded, "main.js")
        for name, path in [(loaded, path) for path in re.findall(r'from "\./([^"]+)"', files.text(loaded))]
    }
    assert len(imported) > 30
    assert imported <= preloaded

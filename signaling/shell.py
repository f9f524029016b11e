"""The page put together from the files of `web`, without a build step.

- Styles and modules are linked below `/static/@VERSION/`, a hash over all of them. Modules import one another by
  relative paths, so all that a page loads is of one version; browsers keep it for good, and ask for nothing again until
  a deployment changes the version.
- `index.html` names its first module. The ones it imports are listed for the browser to fetch at once, not one level of
  imports after the other.
- The service worker learns the version and what to keep for a visit without a network.
"""

from __future__ import annotations

import json
import posixpath
import re

from signaling.page_files import PageFile, PageFiles

CODE = (".js", ".css")
_LINKED = re.compile(r'(?P<attribute>(?:href|src)=")/static/(?P<name>[^"]+\.(?:js|css))"')
_SCRIPT = re.compile(r'^(?P<indent> *)<script type="module" src="/static/(?P<name>[^"]+)"', re.MULTILINE)
_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](?P<path>\.{1,2}/[^"']+)["'];""", re.MULTILINE)
_KEPT = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:js|css))"')

ADMIN = "admin/index.html"
"""The operator's page: of the same version, and nothing that the service worker keeps."""

WORKER = "service-worker.js"
LANGUAGES = "strings/"
"""Imported when somebody speaks them, also without a network."""


def code_version(files: PageFiles) -> str:
    return files.version(*CODE)


def is_of(files: PageFiles, version: str, name: str) -> bool:
    """Whether a file is what this version of the page means by its name. A page has some eighty: this is quick."""
    return files.is_of(version, name) or (version == code_version(files) and files.is_of(version, name))


def index(files: PageFiles, name: str = "index.html") -> PageFile:
    page = files.get(name)
    version = code_version(files)
    return files.made(name, f"{page.tag} {version}", lambda: _linked(files, page.body.decode(), version))


def worker(files: PageFiles) -> PageFile:
    """The service worker, with `SHELL` set before its own first line."""
    page, version = index(files), code_version(files)

    def with_shell() -> str:
        # The page counts, too: whoever changes a word of it has made another version.
        languages = (f"/static/@{version}/{name}" for name in files.names(".js") if name.startswith(LANGUAGES))
        addresses = dict.fromkeys(["/", *_KEPT.findall(page.body.decode()), *languages])
        shell = {"version": f"{version}-{page.tag}", "files": list(addresses)}
        return f"const SHELL = {json.dumps(shell)};\n{files.text(WORKER)}"

    return files.made(WORKER, f"{page.tag} {version}", with_shell)


def modules(files: PageFiles, entry: str) -> list[str]:
    """What `entry` imports, directly or not, in the order in which it is met; without `import()` of later."""
    found, waiting = [entry], [entry]
    while waiting:
        name = waiting.pop(0)
        for match in _IMPORT.finditer(files.text(name)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["path"]))
            if path not in found:
                found.append(path)
                waiting.append(path)
    return found[1:]


def _linked(files: PageFiles, text: str, version: str) -> str:
    text = _SCRIPT.sub(lambda script: _preloads(files, script) + script[0], text)
    return _LINKED.sub(rf'\g<attribute>/static/@{version}/\g<name>"', text)


def _preloads(files: PageFiles, script: re.Match[str]) -> str:
    links = (f'<link rel="modulepreload" href="/static/{name}">' for name in modules(files, script["name"]))
    return "".join(f"{script['indent']}{link}\n" for link in links)

"""Known vulnerabilities in what the lock files name: `make audit`, with pip-audit and npm, where the network is there.

Exit code 0: none is known. 1: some are. 2: the lists of vulnerabilities could not be asked, and nothing is known.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from deploy.licences import LOCK, NPM_LOCKS, ROOT

TIMEOUT = 300.0

NONE, SOME, UNKNOWN = 0, 1, 2

AWAY = "there is no way to the list of vulnerabilities from here"


def pip_audit() -> tuple[int, list[str]]:
    """Asks OSV, which collects the advisories of PyPI and GitHub."""
    command = [
        "-r",
        str(LOCK),
        "--require-hashes",
        "--disable-pip",
        "-s",
        "osv",
        "-f",
        "json",
        "--progress-spinner",
        "off",
    ]
    answer, words = _json([sys.executable, "-m", "pip_audit", *command])
    if answer is None:
        return UNKNOWN, [f"Python packages were not looked at: {words}"]
    found = [
        f"{it['name']} {it['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for it in answer["dependencies"]
        for hole in it.get("vulns", [])
    ]
    return (SOME, found) if found else (NONE, [f"{len(answer['dependencies'])} Python packages: nothing is known"])


def npm_audit(folder: str) -> tuple[int, list[str]]:
    if shutil.which("npm") is None:
        return UNKNOWN, [f"{folder} was not looked at: npm is not installed"]
    answer, words = _json(["npm", "audit", "--json", "--prefix", folder])
    if answer is None or "vulnerabilities" not in answer:
        return UNKNOWN, [f"{folder} was not looked at: {words or AWAY}"]
    found = [f"{folder}: {name}, {it['severity']}" for name, it in answer["vulnerabilities"].items()]
    return (SOME, found) if found else (NONE, [f"{folder}: nothing is known"])


def _json(command: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
    """What it printed; or None, and its last words."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer within {TIMEOUT:.0f} s"
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        words = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        away = "ConnectionError" in words or "ConnectionError" in done.stderr
        return None, AWAY if away else words[:200]
    return answer, ""


def main() -> int:
    results = [pip_audit(), *(npm_audit(str(lock.parent.relative_to(ROOT))) for lock in NPM_LOCKS)]
    for outcome, lines in results:
        print(*lines, sep="\n", file=sys.stdout if outcome == NONE else sys.stderr)
    outcomes = {outcome for outcome, _ in results}
    return SOME if SOME in outcomes else UNKNOWN if UNKNOWN in outcomes else NONE


if __name__ == "__main__":
    sys.exit(main())

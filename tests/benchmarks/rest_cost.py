"""What a visit costs signaling and PostgreSQL in processor time, beside media: start a session, look at it, end it.

The services of deploy/compose.yaml on this machine (`tests/deploy/stack.py`). Processor time, unlike wall time, hardly
depends on what else the machine does; waiting for disks is not in it, and PostgreSQL runs without fsync.

.venv/bin/python tests/benchmarks/rest_cost.py [--visits 300]
"""

from __future__ import annotations

import argparse
import json
import urllib.request

import psutil

from tests.deploy.stack import Stack, running


def ask(url: str, method: str, body: bytes | None = None) -> bytes:
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=20) as response:
        content: bytes = response.read()
        return content


def visit(api: str) -> None:
    created = json.loads(ask(f"{api}/sessions/", "POST", b'{"mode": "explore", "post_id": 1}'))
    session = f"{api}/sessions/{created['session_id']}/"
    ask(session, "GET")
    ask(session, "DELETE")


def processor_seconds(stack: Stack, service: str) -> float:
    """Of a service's process and of those that it started."""
    process = psutil.Process(stack.processes[service].pid)
    times = [member.cpu_times() for member in (process, *process.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=300)
    visits = parser.parse_args().visits
    with running() as stack:
        api = f"{stack.url('signaling-1')}/api/try-on"
        for _ in range(20):
            visit(api)
        services = ("signaling-1", "postgres")
        before = {service: processor_seconds(stack, service) for service in services}
        for _ in range(visits):
            visit(api)
        for service in services:
            spent = (processor_seconds(stack, service) - before[service]) * 1000 / visits
            print(f"{service}: {spent:.1f} ms of processor time a visit")


if __name__ == "__main__":
    main()

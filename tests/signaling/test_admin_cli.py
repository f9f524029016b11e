"""`lacquer admin` against a running signaling service: what it prints, what it does, and how it fails."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from signaling import admin_client, cli
from tests.signaling.conftest import Lacquer, Start, eventually
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_admin_api import TOKEN

COMMANDS = ("workers", "sessions", "results", "errors", "drain", "undrain", "end", "watch")


@pytest.fixture
async def operated(start: Start, worker: FakeWorker) -> Lacquer:
    worker.worker_id, worker.region, worker.capacity = "w-1", "eu", 4
    return await start(worker, admin_token=TOKEN)


async def admin(lacquer: Lacquer, *arguments: str, token: str = TOKEN) -> Result:
    """The command in a thread: it has an event loop of its own."""
    url = str(lacquer.client.make_url("")).rstrip("/")
    environment = {"LACQUER_ADMIN_TOKEN": token, "LACQUER_PUBLIC_URL": url, "COLUMNS": "160", "NO_COLOR": "1"}
    return await asyncio.to_thread(CliRunner().invoke, cli.app, ["admin", *arguments], env=environment)


async def printed(lacquer: Lacquer, *arguments: str) -> Any:
    result = await admin(lacquer, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_example(command: str) -> None:
    result = CliRunner().invoke(cli.app, ["admin", command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout


async def test_workers_and_their_places(operated: Lacquer) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    assert (await printed(operated, "workers"))[0]["load"] == 1
    table = (await admin(operated, "workers")).stdout
    assert "w-1" in table and "■□□□" in table and "1/4" in table and "3 free" in table
    await socket.close()


async def test_sessions_of_more_than_one_part(operated: Lacquer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_client, "PART", 2)
    made = []
    for _ in range(5):
        made.append((await operated.create())["session_id"])
        operated.clock.advance(1)
    assert [each["session_id"] for each in await printed(operated, "sessions")] == made[::-1]
    assert len(await printed(operated, "sessions", "--limit", "3")) == 3
    table = (await admin(operated, "sessions")).stdout
    assert made[0][:8] in table and "Classic Red" in table


async def test_nothing_there_is_said(operated: Lacquer) -> None:
    assert "Nobody is here." in (await admin(operated, "sessions")).stdout
    assert "Nobody has kept a picture yet." in (await admin(operated, "results")).stdout
    assert await printed(operated, "results") == []
    assert "alone" in (await admin(operated, "errors")).stdout


async def test_a_worker_is_drained_until_it_is_empty_and_let_in_again(operated: Lacquer, worker: FakeWorker) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    draining = asyncio.create_task(admin(operated, "drain", "w-1", "--wait"))
    await eventually(lambda: worker.draining)
    assert not draining.done()
    await socket.close()
    result = await draining
    assert result.exit_code == 0 and "it can be stopped" in result.stdout
    assert (await admin(operated, "undrain", "w-1")).exit_code == 0
    assert not worker.draining


async def test_a_worker_that_does_not_empty_in_time(operated: Lacquer, worker: FakeWorker) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    result = await admin(operated, "drain", "w-1", "--wait", "--timeout", "1")
    assert (result.exit_code, result.stderr.count("\n")) == (5, 1)
    assert "1 still on w-1" in result.stderr and worker.draining
    await socket.close()


async def test_a_session_is_ended_by_the_beginning_of_its_id(operated: Lacquer) -> None:
    made = (await operated.create())["session_id"]
    for wrong, said in (("ab", "too short"), ("no-such-id", "there is no session"), ("../workers", "no session")):
        result = await admin(operated, "end", wrong)
        assert (result.exit_code, said in result.stderr) == (1, True)
    assert (await admin(operated, "end", made[:8])).exit_code == 0
    assert "has ended" in (await admin(operated, "end", made)).stderr  # it is over
    assert await printed(operated, "sessions") == []


async def test_ids_cannot_become_other_paths(operated: Lacquer, worker: FakeWorker) -> None:
    for wrong in ("../sessions/x", "a/b", "w 1", ".."):
        result = await admin(operated, "drain", wrong)
        assert (result.exit_code, "is no id" in result.stderr) == (1, True)
    result = await admin(operated, "drain", "w-2")
    assert (result.exit_code, result.stderr) == (1, "lacquer: there is no worker w-2\n")
    assert not worker.draining


async def test_watching_for_programs_is_one_line_a_look(operated: Lacquer) -> None:
    result = await admin(operated, "watch", "--json", "--looks", "1")
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["workers"][0]["id"] == "w-1"
    assert "terminal" in (await admin(operated, "watch")).stderr


async def test_tokens_that_open_nothing(operated: Lacquer, lacquer: Lacquer) -> None:
    for server, token, said in (
        (operated, "", "set LACQUER_ADMIN_TOKEN"),
        (operated, "wrong", "is not the admin token"),
        (operated, "two\nlines", "a line's end"),
        (lacquer, TOKEN, "has no admin token"),
    ):
        result = await admin(server, "workers", token=token)
        assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
        assert said in result.stderr and TOKEN not in result.stderr


async def test_an_address_where_nothing_answers(operated: Lacquer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nobody = await admin(operated, "workers", "--url", f"http://127.0.0.1:{port}")
    assert (nobody.exit_code, nobody.stderr.count("\n")) == (4, 1)
    no_address = await admin(operated, "workers", "--url", "nails")
    assert no_address.exit_code == 1 and "http://localhost:8000" in no_address.stderr

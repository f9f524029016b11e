"""Whether Redis answers, is new enough, keeps what it is told, and has the time."""

from __future__ import annotations

import time
from typing import Any

import redis
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from protocol import redis_url
from protocol.checkup import Verdict, failed, ok, warning

OLDEST = 7
CLOCKS_APART = 2.0
"""Seconds. Only Redis' own clock decides who lives, but sessions expire by ours, and TURN credentials by theirs."""


async def redis_server(url: str) -> Verdict:
    told = redis_url.without_password(url)
    try:
        async with redis_url.connected(redis_url.parse(url)) as connected:
            client: Any = connected
            await client.ping()
            asked = time.time()
            seconds, microseconds = await client.time()
            apart = seconds + microseconds / 1e6 - (asked + time.time()) / 2
            about = {**await client.info("server"), **await client.info("memory")}
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        return failed(f"{told} refuses us: {error}", "put the right user and password into LACQUER_REDIS_URL")
    except (redis.RedisError, OSError) as error:
        return failed(
            f"{told} does not answer: {str(error) or type(error).__name__}",
            "start it, mend LACQUER_REDIS_URL, or let TCP through to it",
        )
    return judge(told, about, apart)


def judge(told: str, about: dict[str, Any], apart: float) -> Verdict:
    """`about` is of INFO server and memory; `apart` is by how many seconds its clock is ahead of ours."""
    version = str(about.get("redis_version", "0"))
    said = f"{told} answers, version {version}, clock {apart:+.1f} s from ours"
    if int(version.partition(".")[0]) < OLDEST:
        return failed(said, f"upgrade it to Redis {OLDEST} or newer")
    limit, used = int(about.get("maxmemory", 0)), int(about.get("used_memory", 0))
    policy = str(about.get("maxmemory_policy", "noeviction"))
    if limit and policy != "noeviction":
        return warning(
            f"{said}; when {limit >> 20} MB are full it forgets sessions ({policy})",
            "give Lacquer a Redis of its own with maxmemory-policy noeviction",
        )
    if limit and used > 0.9 * limit:
        return warning(
            f"{said}; {used >> 20} of {limit >> 20} MB are used", "raise maxmemory: writes fail when it is full"
        )
    if abs(apart) > CLOCKS_APART:
        return warning(said, "keep both machines' clocks in step (NTP)")
    return ok(f"{said}; {used / 2**20:.0f} MB used, {policy}")

"""What this process may use of the machine: processors and memory, within its container (control groups, version 2)."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMORY_MOST = Path("/sys/fs/cgroup/memory.max")


def usable_cores() -> float:
    """By affinity, and by the control group's quota."""
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    try:
        quota, period = CPU_QUOTA.read_text("ascii").split()
        return cores if quota == "max" else min(cores, round(int(quota) / int(period), 1))
    except (OSError, ValueError):  # no control groups, or those of version 1
        return cores


def memory_limit() -> int:
    """Bytes: the container's limit, or what the machine has."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(MEMORY_MOST.read_text("ascii")))
    except (OSError, ValueError):  # none, or `max`
        return total

"""The server's buffers don't fit into its memory.

## What it does

Adds up the buffers that the server has once (InnoDB's pool and log buffer, key buffer, Aria's cache) and the stacks of
the most connections there were, and compares with the memory of the machine: told by ``--memory``, or found where the
server runs on the same machine.

## Why it is bad

The kernel kills the server when memory runs out, without a word in its log. Every client loses its connection, and its
redo log has to be worked off before it answers again.

## Known limits

Buffers of single statements aren't counted, since how many run at once isn't known: it speaks only from 90 % on. A
container's limit must be told.

## Use instead

A smaller ``innodb_buffer_pool_size``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.doctor.advice import set_variable, size, status, variable
from stillhere.doctor.case import Case, Need
from stillhere.doctor.check import Check, Claim, Topic, Turn
from stillhere.findings import Evidence, Remedy, Severity

FULL = 0.9
AIM = 0.6
_POOL = "innodb_buffer_pool_size"
_ONCE = (_POOL, "innodb_log_buffer_size", "key_buffer_size", "aria_pagecache_buffer_size", "query_cache_size")
_CHUNK = 128 * 1024**2


def judge(case: Case) -> Iterator[Claim]:
    """One claim where they don't fit."""
    memory = case.settings.memory
    if not memory:
        return
    once = sum(case.number(name) or 0 for name in _ONCE)
    stacks = (case.number("thread_stack") or 0) * case.count("max_used_connections")
    if once + stacks < FULL * memory:
        return
    rest = once - (case.number(_POOL) or 0) + stacks
    smaller = max(_CHUNK, int((AIM * memory - rest) // _CHUNK) * _CHUNK)
    shrinks = smaller < (case.number(_POOL) or 0)
    yield Claim(
        severity=Severity.ERROR if once + stacks >= memory else Severity.WARNING,
        message=f"the server's buffers take {size(once + stacks)} of {size(memory)} of memory",
        why="When memory runs out the kernel kills the server without a word in its log, and all connections are lost.",
        evidence=(
            variable(case, *(name for name in _ONCE if name in case.snapshot.variables)),
            status(case, "Max_used_connections"),
            Evidence(f"{size(memory)} of memory", "told, or this machine's"),
        ),
        remedy=Remedy(
            "Make InnoDB's pool smaller." if shrinks else "Give the machine more memory.",
            set_variable(case, _POOL, smaller) if shrinks else (),
        ),
    )


CHECK = Check(
    name="memory-over-ram",
    title="the server's buffers don't fit into memory",
    topic=Topic.MACHINE,
    judge=judge,
    needs=(Need.MEMORY,),
    advises=((_POOL, Turn.DOWN),),
    reference="https://dev.mysql.com/doc/refman/8.4/en/memory-use.html",
)

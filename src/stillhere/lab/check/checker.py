"""The check: what the clients were told against what is stored and what was done to their connections. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from math import inf

from stillhere.lab.check.ambiguity import Evidence
from stillhere.lab.check.history import Kind, Known, Operation, Outcome, Seen, Stored, Troubles
from stillhere.lab.check.workload import World

__all__ = ["Rules", "Violation", "Wrong", "check"]


class Wrong(Enum):
    """What can be wrong."""

    LOST = "acknowledged, and not there"
    DOUBLED = "applied more than once"
    HALF = "only a part of it is there"
    DENIED = "told not applied, and it is there"
    STRANGER = "stored by no operation"
    BROKEN = "the stored sums or sequences are impossible"
    IMPOSSIBLE = "a read of something that never was"
    DOUBT = "said to be unknown without a reason"
    UNSETTLED = "unknown in spite of the witness"
    RAW = "a driver's bare error about a lost connection"
    LOCK = "waited for a lock that nobody living holds"
    STALL = "took too long"
    LATE = "an error after the success"
    POOL = "the pool doesn't give its places back"
    DEFECT = "an error that nothing here should cause"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not be: what, of which operation, and the particulars."""

    wrong: Wrong
    operation: str
    says: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What is demanded.

    Attributes:
        world: how it was at the beginning.
        witness: transactions are witnessed, so that none of their outcomes is unknown.
        stall_after: seconds that an operation may take, restarts not counted.
    """

    world: World
    witness: bool = False
    stall_after: float = 6.0


def check(history: Sequence[Operation], stored: Stored, troubles: Troubles, rules: Rules) -> list[Violation]:
    """Everything that is wrong, in the order of `Wrong`.

    Args:
        history: all operations of all clients.
        stored: what the server holds after the last of them.
        troubles: what was done to them.
        rules: what is demanded.
    """
    operations = {operation.id: operation for operation in history}
    found = [
        *_applied(operations, stored),
        *_sums(stored, rules.world),
        *_reads(operations, stored, rules.world),
        *_doubts(history, troubles, rules),
        *_errors(history),
        *_stalls(history, troubles, rules.stall_after),
    ]
    return sorted(found, key=lambda one: list(Wrong).index(one.wrong))


# -- what was applied --------------------------------------------------------------------------------------


def _applied(operations: Mapping[str, Operation], stored: Stored) -> Iterator[Violation]:
    for name in stored.rows.keys() - operations.keys():
        yield Violation(Wrong.STRANGER, name, f"stored: {_names(stored.rows[name])}")
    for operation in operations.values():
        there = stored.rows.get(operation.id, Counter())
        wrong = _wrong_rows(operation, there)
        if wrong is not None:
            told = f"told {operation.outcome.value}{f' ({operation.error})' if operation.error else ''}"
            yield Violation(wrong, operation.id, f"{operation.kind.value}, {told}; stored: {_names(there)}")


def _wrong_rows(operation: Operation, there: Counter[str]) -> Wrong | None:
    if any(times > 1 for times in there.values()):
        return Wrong.DOUBLED
    whole = set(operation.rows)
    outcome = operation.outcome
    if not there:
        return Wrong.LOST if outcome is Outcome.OK and whole else None
    if outcome is Outcome.FAILED and operation.kind is not Kind.CALL:
        return Wrong.DENIED
    return None if set(there) == whole else Wrong.HALF


def _names(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{times} x {label}" for label, times in sorted(rows.items())) or "nothing"


# -- sums and sequences ------------------------------------------------------------------------------------


def _sums(stored: Stored, world: World) -> Iterator[Violation]:
    total = sum(balance for _, balance in stored.accounts.values())
    if total != world.accounts * world.balance:
        yield Violation(Wrong.BROKEN, "", f"all balances are {total} together, not {world.accounts * world.balance}")
    for account, entries in _by_account(stored).items():
        yield from _chain(stored, world, account, entries)
    for entry in stored.entries:
        if entry.parent != entry.operation:
            yield Violation(
                Wrong.BROKEN, entry.operation, f"an entry belongs to the transfer of {entry.parent or 'nobody'}"
            )
    for name, length in stored.lengths.items():
        positions = [pos for pos, _ in stored.lists.get(name, ())]
        if positions != list(range(1, length + 1)):
            yield Violation(Wrong.BROKEN, "", f"{name} has {length} items by its head, and {_gaps(positions)}")
    ticks = Counter(label for rows in stored.rows.values() for label in rows.elements() if label.startswith("tick"))
    for name, number in stored.counters.items():
        logged = ticks[f"tick of {name}"]
        if number != logged:
            yield Violation(Wrong.BROKEN, "", f"{name} is {number}, and {logged} steps are logged")


def _chain(
    stored: Stored, world: World, account: int, entries: Sequence[tuple[int, int, int, str]]
) -> Iterator[Violation]:
    """Each entry must follow from the one before it, from the first balance to the account's own."""
    before = (0, world.balance)
    for version, amount, balance, operation in entries:
        if (version, balance) != (before[0] + 1, before[1] + amount):
            yield Violation(
                Wrong.BROKEN,
                operation,
                f"account {account}: version {version} with {balance} by {amount:+} "
                f"follows version {before[0]} with {before[1]}",
            )
        before = version, balance
    last = stored.accounts.get(account)
    if last != before:
        yield Violation(
            Wrong.BROKEN, "", f"account {account}: version and balance are {last}, its entries end at {before}"
        )


def _by_account(stored: Stored) -> dict[int, list[tuple[int, int, int, str]]]:
    found: dict[int, list[tuple[int, int, int, str]]] = {account: [] for account in stored.accounts}
    for entry in stored.entries:
        found.setdefault(entry.account, []).append((entry.version, entry.amount, entry.balance, entry.operation))
    for entries in found.values():
        entries.sort()
    return found


def _gaps(positions: Sequence[int]) -> str:
    twice = sorted(pos for pos, times in Counter(positions).items() if times > 1)
    missing = sorted(set(range(1, max(positions, default=0) + 1)) - set(positions))
    return f"{len(positions)} in fact" + "".join(
        f", {word} {numbers[:5]}" for word, numbers in (("twice", twice), ("missing", missing)) if numbers
    )


# -- reads and the order of things -------------------------------------------------------------------------


class _Line:
    """Operations in the order in which the server applied them, with what their clients knew when."""

    def __init__(self, operations: Sequence[Operation | None]) -> None:
        """In order; ``None`` for an operation that nobody knows."""
        self.began = list(accumulate((one.invoked if one else -inf for one in operations), max))
        told = [(one.ended, place) for place, one in enumerate(operations, 1) if one and one.outcome is Outcome.OK]
        told.sort()
        self._ended = [ended for ended, _ in told]
        self._places = list(accumulate((place for _, place in told), max))

    def at_least(self, moment: float) -> int:
        """So many had been applied before that moment, as far as clients knew."""
        known = bisect_left(self._ended, moment)
        return self._places[known - 1] if known else 0

    def why_not(self, length: int, invoked: float, ended: float) -> str:
        """Why nobody can have found the first ``length`` of them between two moments; empty if one can."""
        if length < self.at_least(invoked):
            return f"{length} were seen after {self.at_least(invoked)} had been acknowledged"
        if 0 < length <= len(self.began) and self.began[length - 1] > ended:
            return f"{length} were seen before the last of them had begun"
        return ""


def _reads(operations: Mapping[str, Operation], stored: Stored, world: World) -> Iterator[Violation]:
    lists = {name: [op for _, op in items] for name, items in stored.lists.items()}
    accounts = _by_account(stored)
    lines = {name: _Line([operations.get(op) for op in items]) for name, items in lists.items()}
    lines |= {
        f"account {account}": _Line([operations.get(entry[3]) for entry in entries])
        for account, entries in accounts.items()
    }
    yield from _out_of_order(lines, lists, accounts, operations)
    balances = {
        (account, version): balance for account, entries in accounts.items() for version, _, balance, _ in entries
    } | {(account, 0): world.balance for account in accounts}
    ticks = _ticks(operations)
    nothing = _Line(())
    for operation in operations.values():
        seen = operation.seen
        if seen is None or operation.outcome is not Outcome.OK:
            continue
        match operation.kind:
            case Kind.AUDIT:
                why = _wrong_audit(operation, seen, world, balances, lines)
            case Kind.READ_LIST:
                why = _wrong_list(operation, seen, lists.get(seen.name, []), lines.get(seen.name, nothing))
            case _:
                why = _wrong_counter(operation, seen, *ticks[seen.name])
        if why:
            yield Violation(Wrong.IMPOSSIBLE, operation.id, f"{operation.kind.value}: {why}")


def _out_of_order(
    lines: Mapping[str, _Line],
    lists: Mapping[str, Sequence[str]],
    accounts: Mapping[int, Sequence[tuple[int, int, int, str]]],
    operations: Mapping[str, Operation],
) -> Iterator[Violation]:
    """What was acknowledged before another began must stand before it."""
    orders = dict(lists) | {f"account {number}": [entry[3] for entry in all_] for number, all_ in accounts.items()}
    for name, order in orders.items():
        for place, op in enumerate(order):
            one = operations.get(op)
            known = lines[name].at_least(one.invoked) if one else 0
            if known > place + 1:
                yield Violation(
                    Wrong.BROKEN, op, f"{name}: number {place + 1}, and number {known} was acknowledged before it began"
                )


def _wrong_audit(
    operation: Operation,
    seen: Seen,
    world: World,
    balances: Mapping[tuple[int, int], int],
    lines: Mapping[str, _Line],
) -> str:
    total = sum(balance for _, balance in seen.accounts.values())
    if not total == seen.total == world.accounts * world.balance:
        return f"the balances are {total} together, {seen.total} by the server, not {world.accounts * world.balance}"
    for account, (version, balance) in seen.accounts.items():
        if balances.get((account, version)) != balance:
            return f"account {account} never had {balance} at version {version}"
        why = lines[f"account {account}"].why_not(version, operation.invoked, operation.ended)
        if why:
            return f"account {account}: {why}"
    return ""


def _wrong_list(operation: Operation, seen: Seen, stored: Sequence[str], line: _Line) -> str:
    if [pos for pos, _ in seen.items] != list(range(1, seen.number + 1)):
        return f"{seen.name} has {seen.number} items by its head, and {_gaps([pos for pos, _ in seen.items])}"
    if [op for _, op in seen.items] != list(stored[: seen.number]):
        return f"{seen.name} was read with other items than it has"
    why = line.why_not(seen.number, operation.invoked, operation.ended)
    return f"{seen.name}: {why}" if why else ""


def _ticks(operations: Mapping[str, Operation]) -> defaultdict[str, tuple[list[float], list[float]]]:
    """When the steps of each counter were begun, of those that can count, and when they were acknowledged."""
    found: defaultdict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for operation in operations.values():
        if operation.kind is Kind.COUNT and operation.outcome is not Outcome.FAILED:
            began, told = found[operation.rows[0].removeprefix("tick of ") if operation.rows else ""]
            began.append(operation.invoked)
            if operation.outcome is Outcome.OK:
                told.append(operation.ended)
    for began, told in found.values():
        began.sort()
        told.sort()
    return found


def _wrong_counter(operation: Operation, seen: Seen, began: Sequence[float], told: Sequence[float]) -> str:
    if seen.number != seen.logged:
        return f"{seen.name} was {seen.number}, with {seen.logged} steps logged"
    least, most = bisect_left(told, operation.invoked), bisect_left(began, operation.ended)
    if not least <= seen.number <= most:
        return f"{seen.name} was {seen.number}, when {least} steps had been acknowledged and {most} begun"
    return ""


# -- what clients were told --------------------------------------------------------------------------------


def _doubts(history: Sequence[Operation], troubles: Troubles, rules: Rules) -> Iterator[Violation]:
    evidence = Evidence(troubles)
    for operation in history:
        if operation.outcome is not Outcome.UNKNOWN:
            continue
        if rules.witness and operation.kind not in {Kind.NOTE, Kind.CALL}:
            yield Violation(Wrong.UNSETTLED, operation.id, f"{operation.kind.value}: {operation.says}")
        if not evidence.of_doubt(operation):
            yield Violation(Wrong.DOUBT, operation.id, f"{operation.kind.value}: {operation.says}")


_KNOWN = {
    Known.RAW: Wrong.RAW,
    Known.LOCK: Wrong.LOCK,
    Known.POOL: Wrong.POOL,
    Known.DEFECT: Wrong.DEFECT,
}


def _errors(history: Sequence[Operation]) -> Iterator[Violation]:
    for operation in history:
        wrong = _KNOWN.get(operation.known) or (Wrong.LATE if operation.late else None)
        if wrong is not None:
            yield Violation(wrong, operation.id, f"{operation.kind.value}: {operation.error}: {operation.says}")


def _stalls(history: Sequence[Operation], troubles: Troubles, limit: float) -> Iterator[Violation]:
    for operation in history:
        took = operation.ended - operation.invoked
        if took <= limit:
            continue
        away = sum(
            max(0.0, min(operation.ended, outage.ended) - max(operation.invoked, outage.began))
            for outage in troubles.outages
        )
        if took - away > limit:
            yield Violation(
                Wrong.STALL, operation.id, f"{operation.kind.value}: {took:.1f} s, restarts {away:.1f} s of them"
            )

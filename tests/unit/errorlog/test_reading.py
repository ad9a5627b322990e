"""The parts of the reader: what a summary keeps and counts, packed files, rows of the server's table, odd streams."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from stillhere.errorlog import noise as noise_module
from stillhere.errorlog.entry import FREQUENT, LIFECYCLE, Entry, Kind
from stillhere.errorlog.moments import moment, moment_without_year
from stillhere.errorlog.noise import NoiseWatch
from stillhere.errorlog.parser import parse
from stillhere.errorlog.reader import read, sniff
from stillhere.errorlog.rows import COLUMNS, entries_from_rows
from stillhere.errorlog.summary import Ending
from stillhere.errorlog.tally import Table
from stillhere.errors import ConfigurationError

LOGS = Path(__file__).parents[2] / "cases" / "logs"
START = datetime(2026, 1, 1, tzinfo=UTC)


def aborts(number, *, every=60, host="10.0.0.1", user="app", reason="KILLED"):
    """MariaDB's lines of so many aborted connections, so many seconds apart."""
    return b"".join(
        f"{START + timedelta(seconds=n * every):%Y-%m-%d %H:%M:%S} {n} [Warning] Aborted connection {n} to db: 'd' "
        f"user: '{user}' host: '{host}' ({reason})\n".encode()
        for n in range(number)
    )


def said(data, **options):
    return read(io.BytesIO(data), **options)


def test_of_a_frequent_kind_the_first_and_last_entries_are_kept_and_all_are_counted():
    summary = said(aborts(10_000))
    assert summary.counts == {Kind.ABORTED: 10_000}
    assert [entry.line for entry in summary.entries] == [1, 2, 3, 4, 5, 9996, 9997, 9998, 9999, 10_000]
    assert summary.omitted == 9990
    assert (summary.first, summary.last) == (START, START + timedelta(seconds=9999 * 60))


def test_the_last_entries_are_the_latest_even_where_they_are_rare():
    summary = said(aborts(6, reason="Got a packet bigger than 'max_allowed_packet' bytes") + aborts(20_000))
    large = [entry.line for entry in summary.entries if entry.kind is Kind.PACKET_TOO_LARGE]
    assert large == [1, 2, 3, 4, 5, 6]


def test_all_entries_within_the_window_are_kept():
    window = (START + timedelta(hours=100), START + timedelta(hours=101))
    summary = said(aborts(10_000), around=window)
    inside = [entry for entry in summary.entries if window[0] <= entry.at <= window[1]]
    assert len(inside) == 61
    assert summary.counts == {Kind.ABORTED: 10_000}
    assert len(summary.entries) == 71


def test_a_time_without_a_zone_is_refused():
    naive = START.replace(tzinfo=None)
    with pytest.raises(ConfigurationError, match="no time zone"):
        said(b"", around=(naive, START))
    with pytest.raises(ConfigurationError, match="no time zone"):
        said(b"", until=naive)


def test_aborted_connections_are_counted_by_user_host_reason_and_hour():
    summary = said(aborts(90) + aborts(30, user="cron", host="10.0.0.2", reason="Unknown error"))
    tally = summary.aborts
    assert (tally.total, tally.others, tally.other_hosts, tally.other_hours) == (120, 0, 0, 0)
    assert [(count.name, count.count) for count in tally.by_user] == [("app", 90), ("cron", 30)]
    assert [(count.name, count.count) for count in tally.by_host] == [("10.0.0.1", 90), ("10.0.0.2", 30)]
    assert [(count.name, count.count) for count in tally.by_reason] == [("KILLED", 90), ("Unknown error", 30)]
    assert tally.by_hour == ((START, 90), (START + timedelta(hours=1), 30))
    group = tally.groups[0]
    assert (group.user, group.count, group.last_hour) == ("app", 90, START + timedelta(hours=1))


def test_aborted_connections_without_a_time_are_counted_apart():
    tally = said(aborts(2) + aborts(3).replace(b"2026-01-01 00", b"2026-01-01 77")).aborts
    assert (tally.total, tally.other_hours, tally.by_hour) == (5, 3, ((START, 2),))
    assert tally.groups[0].count == 5


def test_local_times_are_read_in_the_zone_that_was_given():
    zone = timezone(timedelta(hours=5, minutes=30))
    data = b"2026-01-01 12:00:00 7 [Warning] Aborted connection 7 to db: 'd' user: 'u' host: 'h' (KILLED)\n"
    (entry,) = parse(io.BytesIO(data), zone=zone)
    assert entry.at == datetime(2026, 1, 1, 6, 30, tzinfo=UTC)
    assert said(data, zone=zone).aborts.by_hour == ((datetime(2026, 1, 1, 6, 30, tzinfo=UTC), 1),)


def test_a_table_keeps_the_frequent_names_and_all_of_the_total():
    table = Table()
    for number in range(30_000):
        table.add("often", 1)
        table.add(f"once {number}", 1)
    assert table.total == 60_000
    assert table.most(1) == [("often", 30_000)]
    assert len(table.most(10**6)) <= 10_000


def knocks(times, host="10.0.0.1"):
    watch = NoiseWatch()
    for at in times:
        watch.see(host, at)
        watch.count(host, 1)
    return [(noise.host, noise.period, noise.count) for noise in watch.result()]


def test_a_port_check_is_known_by_its_period():
    assert knocks([n * 10 + n % 2 for n in range(100)]) == [("10.0.0.1", 10.0, 100)]


def test_two_checks_that_take_turns_are_one_noise():
    assert knocks([n * 10 + extra for n in range(50) for extra in (0, 3)]) == [("10.0.0.1", 10.0, 100)]


def test_a_check_that_sometimes_fails_to_come_is_still_periodic():
    assert knocks([n * 30 for n in range(100) if n % 11])[0][:2] == ("10.0.0.1", 30.0)


def test_what_comes_by_chance_is_no_noise():
    assert knocks([n * n % 997 + n * 40 for n in range(100)]) == []
    assert knocks([0, 60, 120]) == []
    assert knocks([5] * 50) == []


def test_no_more_than_so_many_hosts_and_times_are_remembered(monkeypatch):
    monkeypatch.setattr(noise_module, "_HOSTS", 2)
    watch = NoiseWatch()
    for host in "abc":
        watch.see(host, 1.0)
    assert [watch.wants(host) for host in "abc"] == [True, True, False]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_packed_log_is_read_whatever_its_name(pack, tmp_path):
    packed = tmp_path / "error.log.1"
    packed.write_bytes(pack(aborts(100)))
    assert read(packed).aborts.total == 100
    assert sniff(packed.read_bytes())


def test_a_packed_log_that_is_cut_off_is_read_as_far_as_it_goes():
    data = gzip.compress(aborts(5000))[:-2000]
    summary = said(data)
    assert 0 < summary.aborts.total < 5000
    assert "damaged after" in summary.damage
    with pytest.raises(ConfigurationError, match="damaged after"):
        list(parse(io.BytesIO(data)))


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00"])
def test_what_only_begins_like_a_packed_log_is_damaged(magic):
    summary = said(magic + b"nothing of the kind" * 9)
    assert (summary.lines, "damaged after 0 bytes" in summary.damage) == (0, True)
    assert not sniff(magic + b"nothing of the kind" * 9)


def test_zstd_is_read_where_python_or_the_package_can():
    zstandard = pytest.importorskip("zstandard")
    assert said(zstandard.ZstdCompressor().compress(aborts(100))).aborts.total == 100


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python unpacks it itself")
def test_zstd_without_a_package_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ConfigurationError, match="pip install zstandard"):
        said(b"\x28\xb5\x2f\xfd" + b"x" * 20)


def test_a_stream_of_text_is_refused():
    with pytest.raises(ConfigurationError, match="binary mode"):
        read(io.StringIO("text"))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "no.log")


def test_an_empty_log_says_nothing():
    summary = said(b"")
    assert (summary.lines, summary.lives, summary.entries, summary.first) == (0, (), (), None)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00\x01\x02",
        b'Traceback (most recent call last):\n  File "x.py", line 1\n',
        b"Jan  5 10:00:00 web gunicorn[7]: [INFO] started\n",
        b"[mysqld]\nwait_timeout = 10\n",
        b'{"log":"hello\\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}\n',
        b"# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: app[app] @ [10.0.0.1]\n",
    ],
)
def test_other_files_are_not_taken_for_a_log(head):
    assert not sniff(head)


def test_lives_beyond_the_bound_are_dropped_oldest_first():
    line = b"2026-01-01 00:00:00 0 [Note] Starting MariaDB 11.4.2-MariaDB source revision x server_uid y as process 1\n"
    summary = said(line * 1500)
    assert (len(summary.lives), summary.dropped_lives) == (1000, 500)
    assert [summary.lives[0].ending, summary.lives[-1].ending] == [Ending.KILLED, Ending.RUNNING]
    assert len([entry for entry in summary.entries if entry.kind is Kind.START]) == 505


def test_a_log_that_begins_in_a_life_has_that_life():
    log = aborts(3) + b"2026-01-02 00:00:00 0 [Note] /usr/sbin/mariadbd: Shutdown complete\n"
    (life,) = said(log).lives
    assert (life.ending, life.started, life.start_line) == (Ending.CLEAN, None, 0)


def test_the_year_that_a_line_leaves_out_is_the_latest_possible():
    until = datetime(2026, 1, 10, tzinfo=UTC)
    assert moment_without_year("Jan  5 10:00:00", until) == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert moment_without_year("Dec 31 10:00:00", until) == datetime(2025, 12, 31, 10, tzinfo=UTC)
    assert moment_without_year("Feb 29 10:00:00", until) == datetime(2024, 2, 29, 10, tzinfo=UTC)
    assert moment_without_year("Foo 29 10:00:00", until) is None


@pytest.mark.parametrize("text", ["", "2026-13-01T00:00:00Z", "999999 99:99:99", "2026-01-01T00:00:00+99:99"])
def test_what_is_no_time_is_none(text):
    assert moment(text) is None


def test_rows_of_the_servers_table_give_the_entries_of_its_log():
    from_file = list(parse(LOGS / "mysql8.log"))
    rows = []
    for raw in (LOGS / "mysql8.log").read_text(encoding="utf-8").splitlines():
        head, _, rest = raw.partition(" [")
        time, thread = head.split(" ")
        priority, code, component, message = (*rest.split("] [", 2), "")
        component, _, message = component.partition("] ")
        logged = datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)
        rows.append((logged, int(thread), "Error" if priority == "ERROR" else priority, code, component, message))
    found = list(entries_from_rows(rows))
    assert len(COLUMNS) == len(rows[0])
    assert [(e.kind, e.at, e.severity, e.code, e.thread_id, e.text) for e in found] == [
        (e.kind, e.at, e.severity, e.code, e.thread_id, e.text) for e in from_file
    ]
    assert {entry.line for entry in found} == {0}


def test_a_crash_that_only_the_table_tells_of_is_one_entry():
    dump = [
        "2026-01-01T10:00:00Z UTC - mysqld got signal 11 ;",
        " #3 0x55 JOIN::exec()",
        "Query (7f): SELECT 'x'",
        "Connection ID (thread ID): 8",
    ]
    rows = [(START, 0, "System", "MY-013951", "Server", text) for text in dump]
    (entry,) = entries_from_rows([*rows, (START, 0, "System", "MY-015015", "Server", b"MySQL Server - start.")])
    assert (entry.kind, entry.signal, entry.thread_id, entry.reason) == (Kind.CRASH, 11, 8, "SELECT 'x'")
    assert "in JOIN::exec" in entry.text


@pytest.mark.parametrize(
    "row", [(), (None,) * 6, ("x", "y", 1, 2, 3, b"\xff"), (START, 1, "Note", "MY-1", "S", "x", 7)]
)
def test_odd_rows_are_no_error(row):
    assert list(entries_from_rows([row])) == []


def test_the_kinds_that_tell_of_lives_are_not_among_those_that_are_only_counted():
    assert not LIFECYCLE & FREQUENT


def test_an_entry_is_a_plain_frozen_record():
    entry = Entry(kind=Kind.OTHER)
    with pytest.raises(AttributeError):
        entry.kind = Kind.CRASH


def test_a_closed_stream_is_left_to_its_owner():
    stream = io.BytesIO(aborts(3))
    read(stream)
    assert not stream.closed
    assert read(SimpleNamespace(read=io.BytesIO(aborts(3)).read)).aborts.total == 3

"""The rules that single words and frames go by: numbers, the system's errors, timeouts, positions, whose code it is."""

from __future__ import annotations

import pytest

from stillhere.apptrace import PoolFacts, Position, Report, parse, sniff
from stillhere.apptrace.chains import Seen
from stillhere.apptrace.frames import Place
from stillhere.apptrace.numbers import errno_of, os_error_of, pool_of, timed_out
from stillhere.apptrace.places import framework_of, is_library, own_frame
from stillhere.apptrace.positions import position_of
from stillhere.apptrace.statements import shown_in_message

INSERT = "x\n[SQL: INSERT INTO a VALUES (%s)]\n[parameters: "
SITE = "/srv/app/venv/lib/python3.12/site-packages/"
SQLALCHEMY = [
    ("sqlalchemy/engine/base.py", "execute"),
    ("sqlalchemy/engine/default.py", "do_execute"),
    ("MySQLdb/cursors.py", "execute"),
    ("MySQLdb/connections.py", "query"),
]


def stack(*places):
    return [Seen(Place(path if path[0] in "/<" else SITE + path, 1, function)) for path, function in places]


@pytest.mark.parametrize(
    ("message", "errno"),
    [
        ("(2006, 'MySQL server has gone away')", 2006),
        ("(MySQLdb.OperationalError) (2013, 'Lost connection')", 2013),
        ("2055: Lost connection to MySQL server at 'db:3306', system error: 32 Broken pipe", 2055),
        ("1146 (42S02): Table 'a.b' doesn't exist", 1146),
        ("3024:", 3024),
        ("(0, '')", 0),
        ("MySQL Connection not available.", None),
        ("Lost connection to server during query", None),
        ("(20", None),
        ("row 2006, 'x' is bad", None),
        ("-1: something", None),
    ],
)
def test_the_number_is_the_one_in_its_place(message, errno):
    assert errno_of(message) == errno


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("(2006, \"MySQL server has gone away (BrokenPipeError(32, 'Broken pipe'))\")", 32),
        ("(2013, \"Lost connection (ConnectionResetError(104, 'Connection reset by peer'))\")", 104),
        ("(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")", 111),
        ("(2002, \"Can't connect to server on 'db' (115)\")", 115),
        ("2055: Lost connection to MySQL server at 'db:3306', system error: 104 Connection reset by peer", 104),
        ("(2013, 'Lost connection to MySQL server during query (timed out)')", None),
        ("(1062, \"Duplicate entry '7' for key 'a' (32)\") x", None),
        ("(2006, 'MySQL server has gone away')", None),
    ],
)
def test_the_systems_number_is_the_one_in_brackets(message, number):
    assert os_error_of(message) == number


@pytest.mark.parametrize(
    ("message", "passed"),
    [
        ("(2013, 'Lost connection to MySQL server during query (timed out)')", True),
        ("(2013, 'Lost connection to MySQL server during query (read timeout)')", True),
        ("(2013, \"Lost connection (TimeoutError(110, 'Connection timed out'))\")", False),
        ("(2013, 'Lost connection to MySQL server during query')", False),
        ("(2013, 'x')\n[SQL: SELECT 'timed out']", False),
    ],
)
def test_only_the_clients_own_timeout_counts_as_one(message, passed):
    assert timed_out(message) is passed


def test_a_pools_numbers_are_taken_only_as_a_whole():
    words = "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"
    assert pool_of(words) == PoolFacts(5, 10, 30.0)
    assert pool_of(words[:-4]) is None
    assert pool_of(words[:-3]) is None
    assert pool_of(words[:-3] + " (Background on this error at: x)") == PoolFacts(5, 10, 30.0)


@pytest.mark.parametrize(
    ("outer", "position"),
    [
        ([("/srv/app/views.py", "show")], Position.STATEMENT),
        ([("/srv/app/views.py", "save"), ("sqlalchemy/orm/session.py", "flush")], Position.FLUSH),
        (
            [("sqlalchemy/orm/session.py", "flush"), ("/srv/app/listeners.py", "before_flush")],
            Position.STATEMENT,
        ),
        ([("/srv/app/views.py", "show"), ("sqlalchemy/pool/base.py", "_checkout")], Position.CHECKOUT),
        ([("sqlalchemy/engine/create.py", "first_connect")], Position.CONNECT),
        ([("django/db/transaction.py", "__enter__")], Position.FIRST_STATEMENT),
    ],
)
def test_what_a_statement_was_part_of_is_told_by_the_frames_further_out(outer, position):
    assert position_of(stack(("/srv/app/run.py", "<module>"), *outer, *SQLALCHEMY)) is position


@pytest.mark.parametrize(
    ("places", "position"),
    [
        ([("sqlalchemy/engine/default.py", "do_commit"), ("pymysql/connections.py", "commit")], Position.COMMIT),
        (
            [("pymysql/connections.py", "begin"), ("pymysql/connections.py", "_execute_command")],
            Position.FIRST_STATEMENT,
        ),
        (
            [("mysql/connector/connection.py", "commit"), ("mysql/connector/connection.py", "cmd_query")],
            Position.COMMIT,
        ),
        ([("pymysql/cursors.py", "fetchone"), ("pymysql/connections.py", "_read_packet")], Position.FETCH),
        (
            [("django/db/backends/base/base.py", "ensure_connection"), ("MySQLdb/__init__.py", "Connect")],
            Position.CONNECT,
        ),
        ([("someorm/core.py", "commit")], Position.UNKNOWN),
        ([], Position.UNKNOWN),
    ],
)
def test_the_innermost_frame_that_tells_it_decides(places, position):
    frames = stack(("/srv/app/run.py", "<module>"), *places) if places else []
    assert position_of(frames) is position


def test_a_stack_whose_beginning_is_lost_does_not_tell_what_its_last_call_sent():
    frames = stack(("mysql/connector/connection.py", "cmd_query"))
    assert position_of(frames) is Position.UNKNOWN
    assert position_of([*stack(("/srv/app/run.py", "<module>")), *frames]) is Position.STATEMENT
    assert position_of([*stack(("/srv/app/run.py", "<module>")), *frames], headed=False) is Position.UNKNOWN


@pytest.mark.parametrize(
    ("code", "position"),
    [
        ("db.commit()", Position.COMMIT),
        ("db.rollback()", Position.ROLLBACK),
        ("return cursor.fetchall()", Position.FETCH),
        ("db.commit(); db.rollback()", Position.UNKNOWN),
        ("save(db)", Position.UNKNOWN),
    ],
)
def test_a_call_into_c_is_told_by_the_source_line_that_makes_it(code, position):
    assert position_of([Seen(Place("/srv/app/run.py", 3, "save"), code)]) is position


@pytest.mark.parametrize(
    ("path", "library"),
    [
        ("/srv/app/views.py", False),
        ("tournament/views.py", False),
        ("views.py", False),
        ("<stdin>", False),
        ("<ipython-input-3-0a1b>", False),
        (SITE + "flask/app.py", True),
        ("flask/app.py", True),
        ("C:\\app\\venv\\Lib\\site-packages\\flask\\app.py", True),
        ("C:\\app\\views.py", False),
        ("/usr/lib/python3.12/threading.py", True),
        ("C:\\Python312\\Lib\\threading.py", True),
        ("<frozen importlib._bootstrap>", True),
        ("<string>", True),
        ("asyncmy/connection.pyx", True),
        ("lib/sqlalchemy/engine/_row_cy.py", True),
    ],
)
def test_whose_code_a_path_is(path, library):
    assert is_library(path) is library


def test_a_report_that_says_itself_what_is_the_applications_is_believed():
    ours = Seen(Place("vendored/tools.py", 1, "run", in_app=False))
    theirs = Seen(Place(SITE + "tournament/views.py", 1, "show", in_app=True))
    assert own_frame([theirs, ours]) is theirs
    assert own_frame([Seen(Place(SITE + "x.py", 1, "f"))]) is None


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["starlette/routing.py", "fastapi/routing.py"], "FastAPI"),
        (["celery/app/trace.py", "flask/ctx.py"], "Celery"),
        (["django/core/handlers/base.py"], "Django"),
        (["somewhere/else.py"], ""),
    ],
)
def test_the_framework_is_the_one_that_called(paths, name):
    assert framework_of(stack(*((path, "f") for path in paths))) == name


@pytest.mark.parametrize(
    ("message", "size", "at_least", "many"),
    [
        ("x\n[SQL: SELECT 1]\n(Background on this error at: y)", 8, 8, False),
        ("x\n[SQL: SELECT 1]", 8, 8, False),
        ("x\n[SQL: SELECT %s]\n[parameters: (1,)]", None, 7, False),
        (f"{INSERT}[(1,), (2,)]]", None, 23, True),
        (f"{INSERT}[(1,)  ... displaying 10 of 20 total bound parameter sets ...  (2,)]]", None, 23, True),
        (f"{INSERT}(b'xx ... (1000 characters truncated) ... xx',)]", None, 273, False),
        (f"{INSERT}('xx ... (1000 characters truncated) ... xx',)]", None, 423, False),
        ("x\n[SQL: SELECT", None, 6, False),
        ("x", None, 0, False),
    ],
)
def test_a_statements_size_is_known_exactly_or_from_below(message, size, at_least, many):
    shown = shown_in_message(message)
    assert (shown.size, shown.at_least, shown.many) == (size, at_least, many)


def test_a_bare_report_claims_nothing():
    report = Report(line=1)
    assert report.position is Position.UNKNOWN
    assert report.errno is None
    assert report.in_transaction is None


@pytest.mark.parametrize(
    ("head", "application"),
    [
        (b"Traceback (most recent call last):\n  File", True),
        (b"2026-03-02T04:17:09.311000Z 0 [Note] [MY-010304] [Server] Skipping generation of SSL certificates\n", False),
        (b"2026-03-02  4:17:09 0 [Note] InnoDB: Starting shutdown...\n2026-03-02  4:17:09 0 [Note] x\n", False),
        (b"2026-03-02T04:17:09Z 9 [Note] Aborted connection 9 to db: 'a' (Got timeout reading it)\n", False),
        (b"ERROR 2006 (HY000) at line 3: MySQL server has gone away\n", True),
        (b"MySQL server has gone away", True),
        (b"", False),
        (b"hello\n", False),
    ],
)
def test_an_applications_text_is_told_from_a_servers_log(head, application):
    assert sniff(head) is application


def test_prose_below_a_broken_traceback_is_not_its_exception():
    broken = f'Traceback (most recent call last):\n  File "{SITE}pymysql/cursors.py", line 3, in execute\n    x()\n'
    assert parse(f"{broken}\nHint: (2006, 'MySQL server has gone away')\n") == []
    assert [report.errno for report in parse(f"{broken}Oops.Error: (2006, 'gone away')\n")] == [2006]


def test_what_stands_above_one_traceback_says_nothing_of_the_next():
    above = "Exception on /match/7/ [GET]\n"
    trace = 'Traceback (most recent call last):\n  File "/srv/app/a.py", line 3, in f\n    db.commit()\n'
    trace += "pymysql.err.InterfaceError: (0, '')\n"
    first, second = parse(f"{above}{trace}\n{trace}")
    assert (first.request, first.framework) == ("GET /match/7/", "Flask")
    assert (second.request, second.framework) == ("", "")
    above = "Retrying app.f in 1.0 seconds as it raised OperationalError: (2006, 'gone').\n"
    first, second = parse(f"{above}{above}{trace}\n{trace}")
    assert (first.retries, second.retries) == (2, 0)


def test_an_announced_retry_counts_for_a_report_and_is_one_where_no_report_follows():
    above = "Retrying app.f in 1.0 seconds as it raised OperationalError: (2006, 'gone').\n"
    broken = 'Traceback (most recent call last):\n  File "/srv/app/a.py", line 3, in f\n    db.commit()\n'
    assert [report.errno for report in parse(above)] == [2006]
    assert [report.errno for report in parse(f"{above}{broken}")] == [2006]
    assert [report.errno for report in parse(f"{above}{broken}KeyError: 7\n")] == [2006]


def test_a_wrapper_that_is_cut_off_inside_does_not_say_what_was_done():
    lines = [
        "Traceback (most recent call last):",
        f'  File "{SITE}sqlalchemy/pool/base.py", line 3, in __connect',
        f'  File "{SITE}pymysql/connections.py", line 3, in connect',
        "pymysql.err.OperationalError: (2003, 'no way')",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        '  File "/srv/app/a.py", line 3, in f',
        f'  File "{SITE}sqlalchemy/engine/base.py", line 3, in connect',
        f'  File "{SITE}sqlalchemy/pool/base.py", line 3, in _checkout',
        "",
    ]
    (report,) = parse("\n".join(lines))
    assert report.position is Position.CONNECT
    assert report.frame.function == "f"


def test_members_of_a_group_are_all_read():
    group = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/srv/app/run.py", line 3, in main\n'
        "  |     async with group:\n"
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | KeyError: 7\n"
        "    +---------------- 2 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/srv/app/run.py", line 9, in load\n'
        "    |     db.commit()\n"
        "    | pymysql.err.OperationalError: (2013, 'Lost connection')\n"
        "    +---------------- 3 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/srv/app/run.py", line 12, in save\n'
        "    |     db.rollback()\n"
        "    | pymysql.err.InterfaceError: (0, '')\n"
        "    +------------------------------------\n"
    )
    (report,) = parse(group)
    assert report.codes == (2013, 0)
    assert report.position is Position.COMMIT
    assert report.frame.function == "load"

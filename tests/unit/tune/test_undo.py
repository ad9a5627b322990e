"""A change can be taken back, from where it led to and from nowhere else."""

from __future__ import annotations

import json
import stat

import pytest

from stillhere.errors import ConfigurationError
from stillhere.survey.take import NotAllowed
from stillhere.tune.apply import Rewrite, carry_out, file_back, keeping
from stillhere.tune.statements import Step, Way
from stillhere.tune.undo import FileChange, Undo, identity, load, save, steps_back
from stillhere.tune.writing import digest

from .conftest import NOW, session

GLOBAL = Step(name="wait_timeout", before="28800", after="600", way=Way.GLOBAL)
PERSIST = Step(name="wait_timeout", before="28800", after="600", way=Way.PERSIST)
LATER = Step(name="skip_name_resolve", before="OFF", after="ON", way=Way.PERSIST_ONLY)


def undo(*steps, file=None):
    return Undo(address="db:3306", identity="uuid", written=NOW, steps=steps, file=file)


def test_what_was_saved_is_loaded_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "undo.json"
    one = undo(PERSIST, LATER, file=FileChange(path="/etc/my.cnf", backup="/etc/my.cnf.bak", before="a", after="b"))
    save(one, path)
    assert load(path) == one
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_undo_file_is_never_overwritten(tmp_path):
    path = tmp_path / "undo.json"
    save(undo(GLOBAL), path)
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        save(undo(PERSIST), path)
    assert load(path) == undo(GLOBAL)


@pytest.mark.parametrize(
    "broken",
    [
        {"format": "another"},
        {"settings": [{"name": "wait_timeout", "before": "1; DROP", "after": "2", "way": "global", "persisted": None}]},
        {"settings": [{"name": "init_connect", "before": "1", "after": "2", "way": "global", "persisted": None}]},
        {"settings": [{"name": "wait_timeout", "before": "1", "after": "2", "way": "shell", "persisted": None}]},
        {"settings": [{"name": "wait_timeout"}]},
        {"settings": None},
        {"file": {"path": "/x"}},
        {"written": "yesterday"},
    ],
)
def test_a_file_that_is_no_whole_undo_file_is_refused(tmp_path, broken):
    path = tmp_path / "undo.json"
    save(undo(GLOBAL), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    with pytest.raises(ConfigurationError):
        load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "undo.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="undo file"):
        load(path)


@pytest.mark.parametrize(
    ("step", "now", "persisted", "runs", "left"),
    [
        (GLOBAL, "600", None, ("SET GLOBAL wait_timeout = 28800",), ""),
        (GLOBAL, "28800", None, (), ""),
        (GLOBAL, "700", None, (), "it is 700 now"),
        (PERSIST, "600", "600", ("RESET PERSIST IF EXISTS wait_timeout", "SET GLOBAL wait_timeout = 28800"), ""),
        (PERSIST, "28800", "600", ("RESET PERSIST IF EXISTS wait_timeout", "SET GLOBAL wait_timeout = 28800"), ""),
        (PERSIST, "600", "700", (), "somebody persisted 700"),
        (PERSIST, "28800", None, (), ""),
        (LATER, "OFF", "ON", ("RESET PERSIST IF EXISTS skip_name_resolve",), ""),
        (LATER, "ON", "ON", ("RESET PERSIST IF EXISTS skip_name_resolve",), ""),
        (LATER, "OFF", None, (), ""),
    ],
)
def test_a_step_is_taken_back_from_where_it_led_to(step, now, persisted, runs, left):
    (back,) = steps_back(undo(step), {step.name: now}, {step.name: persisted})
    assert back.statements == runs
    assert back.left_alone.startswith(left)
    assert bool(back.left_alone) is bool(left)


@pytest.fixture
def rewrite(tmp_path):
    path = tmp_path / "my.cnf"
    path.write_bytes(b"old")
    return Rewrite(path=path, backup=tmp_path / "my.cnf.bak", before=b"old", after=b"new")


class Server:
    """Answers SET and SHOW; refuses what the test says."""

    def __init__(self, refuses=(), rounds=False):
        self.values = {"wait_timeout": "28800", "max_connections": "151"}
        self.refuses = refuses
        self.rounds = rounds
        self.ran = []

    def __call__(self, sql, /):
        if sql.startswith("SHOW"):
            return [{"variable_name": name, "value": value} for name, value in self.values.items() if name in sql]
        if any(word in sql for word in self.refuses):
            raise NotAllowed("needs SYSTEM_VARIABLES_ADMIN")
        self.ran.append(sql)
        if " = " in sql:
            name, value = sql.split()[2], sql.split()[4]
            self.values[name] = value if not self.rounds else "1"
        return []


MORE = Step(name="max_connections", before="151", after="200", way=Way.GLOBAL)


def test_settings_come_first_and_the_file_last(rewrite):
    server, told = Server(), []
    carry_out(server, (GLOBAL, MORE), rewrite, told.append)
    assert server.ran == ["SET GLOBAL wait_timeout = 600", "SET GLOBAL max_connections = 200"]
    assert rewrite.path.read_bytes() == b"new"
    assert len(told) == 3


def test_when_the_second_setting_is_refused_the_first_is_taken_back(rewrite):
    server = Server(refuses=("max_connections",))
    with pytest.raises(ConfigurationError, match="needs SYSTEM_VARIABLES_ADMIN; everything is as it was"):
        carry_out(server, (GLOBAL, MORE), rewrite, print)
    assert server.values == {"wait_timeout": "28800", "max_connections": "151"}
    assert rewrite.path.read_bytes() == b"old"


def test_when_the_file_can_not_be_written_the_settings_are_taken_back(rewrite):
    rewrite.path.write_bytes(b"somebody else's")
    server = Server()
    with pytest.raises(ConfigurationError, match=r"changed by somebody else.*everything is as it was"):
        carry_out(server, (GLOBAL,), rewrite, print)
    assert server.values["wait_timeout"] == "28800"


def test_a_value_that_the_server_changed_is_no_success():
    with pytest.raises(ConfigurationError, match="the server made 1 of wait_timeout = 600"):
        carry_out(Server(rounds=True), (GLOBAL,), None, print)


def test_a_file_goes_back_to_what_it_was(rewrite):
    carry_out(Server(), (), rewrite, print)
    found, reason = file_back(rewrite.record)
    assert (found.before, found.after, reason) == (b"new", b"old", "")


def test_a_file_that_is_back_already_needs_nothing(rewrite):
    rewrite.backup.write_bytes(b"old")
    assert file_back(rewrite.record) == (None, "")


def test_a_file_that_was_changed_since_is_left_alone(rewrite):
    rewrite.backup.write_bytes(b"old")
    rewrite.path.write_bytes(b"newer")
    found, reason = file_back(rewrite.record)
    assert found is None
    assert "changed since" in reason


def test_a_backup_that_is_not_what_was_saved_is_not_used(rewrite):
    rewrite.path.write_bytes(b"new")
    rewrite.backup.write_bytes(b"forged")
    found, reason = file_back(rewrite.record)
    assert found is None
    assert "not what was saved" in reason


def test_a_missing_backup_is_told(rewrite):
    found, reason = file_back(rewrite.record)
    assert found is None
    assert "my.cnf.bak" in reason


def test_the_record_holds_digests_and_no_content(rewrite):
    assert (rewrite.record.before, rewrite.record.after) == (digest(b"old"), digest(b"new"))


def test_sessions_from_before_that_are_still_there_keep_the_old_value():
    before = [session(1, "app"), session(2, "app"), session(3, "job"), session(4, "system user")]
    now = [session(2, "app"), session(3, "job"), session(4, "system user"), session(5, "app")]
    assert keeping(before, now) == (("app", 1), ("job", 1))


def test_a_server_is_told_from_another_by_its_uuid_or_its_place(server):
    assert identity(server(variables={"server_uuid": "u-1"}).snapshot) == "u-1"
    assert identity(server(variables={"hostname": "a", "datadir": "/d/"}).snapshot) == "a:/d/"

"""The file of targets: what it may say, and what is refused."""

from __future__ import annotations

import os

import pytest

from stillhere.errors import ConfigurationError
from stillhere.observe.exporter.targets import Targets, TargetsFile

GOOD = """
allow = ["*.db.internal:3306", "10.0.0.*"]
[login]
user = "monitor"
password = "hunter22"
[targets.orders]
url = "mysql+pymysql://m:hunter22@orders/"
labels = { team = "shop" }
"""


def written(tmp_path, text):
    path = tmp_path / "targets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_targets_have_names_urls_and_labels(tmp_path):
    found = TargetsFile(written(tmp_path, GOOD)).targets().find("orders")
    assert (found.url.host, found.labels) == ("orders", {"team": "shop"})


@pytest.mark.parametrize("name", ["a.db.internal", "a.db.internal:3306", "10.0.0.7"])
def test_an_allowed_address_is_asked_with_the_login(tmp_path, name):
    url = TargetsFile(written(tmp_path, GOOD)).targets().find(name).url
    assert (url.username, url.password, url.port) == ("monitor", "hunter22", 3306)


@pytest.mark.parametrize("name", ["evil.example", "a.db.internal:3307", "a.db.internal:3306@evil", "", "x" * 300])
def test_any_other_address_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match="neither a target"):
        TargetsFile(written(tmp_path, GOOD)).targets().find(name)


def test_the_file_is_read_again_when_it_changes(tmp_path):
    path = written(tmp_path, GOOD)
    file = TargetsFile(path)
    path.write_text(GOOD.replace("targets.orders", "targets.stock"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert set(file.targets().named) == {"stock"}


def test_the_password_may_stand_in_a_file_of_its_own(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter22\n", encoding="utf-8")
    text = GOOD.replace('password = "hunter22"\n[', f'password_file = "{secret}"\n[')
    assert TargetsFile(written(tmp_path, text)).targets().find("10.0.0.1").url.password == "hunter22"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targets = 3", "write each target as a table"),
        ("[targets]\nx = 3", "write each target as a table"),
        ("[targets.x]", "needs a url"),
        ("[targets.x]\nurl = 'postgresql://m:hunter22@h/'", "stillhere is for mysql and mariadb"),
        ("[targets.x]\nurl = 'hunter22'", "no SQLAlchemy URL"),
        ("[targets.x]\nurl = 'mysql+pymysql://h/'\nlables = {}", "unknown key 'lables' in targets.x"),
        ("[targets.x]\nurl = 'mysql+pymysql://h/'\nlabels = {'a b' = 'c'}", "letters, digits and underscores"),
        ("allow = ['*']", "allow needs a [login]"),
        ("allow = 3\n[login]\nuser = 'x'", "list of patterns"),
        ("login = 'x'", "write the login as a table"),
        ("[login]\npassword_file = '/nowhere/at/all'", "can't be read"),
        ("=", "not TOML"),
        ("nonsense = 1", "unknown key 'nonsense'"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error_without_the_password(tmp_path, text, words):
    with pytest.raises(ConfigurationError) as caught:
        TargetsFile(written(tmp_path, text))
    assert words in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="can't be read"):
        TargetsFile(tmp_path / "nothing.toml")


def test_one_address_given_twice_is_refused():
    with pytest.raises(ConfigurationError, match="given twice"):
        Targets.of_urls(["mysql+pymysql://h/", "mysql+pymysql://u@h:3306/x"])

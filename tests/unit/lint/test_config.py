"""``[tool.stillhere.lint]``: what it changes, and that a mistake in it is one clear error."""

from __future__ import annotations

import pytest

from stillhere.errors import ConfigurationError
from stillhere.lint.config import find_config

ENGINE = """\
from sqlalchemy import create_engine
engine = create_engine("mysql://app@db.example/shop", pool_recycle={}, pool_size=0)
"""


@pytest.fixture
def rules(folder):
    """The rules that fire in ``app/db.py`` under these settings."""

    def found(settings: str, recycle: int = 3600) -> list[str]:
        folder.write("pyproject.toml", f"[tool.stillhere.lint]\n{settings}\n")
        folder.write("app/db.py", ENGINE.format(recycle))
        return [rule for _, _, rule in folder.found()]

    return found


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ("", ["SH104"]),
        ('select = ["SH1"]', ["SH104"]),
        ('select = ["SH104"]', ["SH104"]),
        ('select = ["SH2"]', []),
        ('ignore = ["SH1"]', []),
        ('select = ["SH1"]\nignore = ["SH104"]', []),
        ('ignore = ["SH101"]', ["SH104"]),
        ("idle-limit = 600", ["SH102", "SH104"]),
        ("idle-limit = 3600.5", ["SH104"]),
        ('exclude = ["app"]', []),
        ('exclude = ["app/*.py"]', []),
        ('exclude = ["db.py"]', []),
        ('exclude = ["d"]', ["SH104"]),
        ('[tool.stillhere.lint.per-file-ignores]\n"app/*" = ["SH1"]', []),
        ('[tool.stillhere.lint.per-file-ignores]\n"db.py" = ["SH104"]', []),
        ('[tool.stillhere.lint.per-file-ignores]\n"other/*" = ["SH1"]', ["SH104"]),
    ],
)
def test_what_a_setting_changes(rules, settings, left):
    assert rules(settings) == left


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("idle_limit = 600", r"unknown key 'idle_limit'; there are: select, ignore"),
        ("idle-limit = 0", r"idle-limit: write a number of seconds over 0, found 0"),
        ("idle-limit = true", r"idle-limit: write a number of seconds over 0, found True"),
        ('idle-limit = "10m"', r"idle-limit: write a number of seconds over 0, found '10m'"),
        ("max-allowed-packet = -1", r"max-allowed-packet: write a number of bytes over 0, found -1"),
        ('select = "SH1"', r"select: write a list of texts, found 'SH1'"),
        ("ignore = [1]", r"ignore: write a list of texts, found \[1\]"),
        ('ignore = ["SH9"]', r"ignore: no rule begins with 'SH9'; there are SH101 to SH"),
        ('select = ["E501"]', r"select: no rule begins with 'E501'"),
        ("per-file-ignores = []", r"per-file-ignores: write a table of patterns"),
        ('per-file-ignores = {"a.py" = "SH1"}', r"per-file-ignores 'a.py': write a list of texts"),
        ("exclude = {}", r"exclude: write a list of texts"),
        ("select = [", r"pyproject\.toml: "),
    ],
)
def test_a_mistake_is_one_clear_error(rules, settings, said):
    with pytest.raises(ConfigurationError, match=said):
        rules(settings)


def test_a_table_that_is_none_is_an_error(folder):
    folder.write("pyproject.toml", "[tool.stillhere]\nlint = 1\n")
    with pytest.raises(ConfigurationError, match="is not a table"):
        folder.found()


def test_the_nearest_file_with_our_table_counts(folder):
    folder.write("pyproject.toml", "[tool.stillhere.lint]\nidle-limit = 600\n")
    folder.write("app/pyproject.toml", '[project]\nname = "app"\n')
    folder.write("app/db.py", ENGINE.format(3600))
    assert find_config(folder.path / "app").options.idle_limit == 600
    assert find_config(folder.path / "app").root == folder.path.resolve()


def test_without_a_file_the_defaults_hold(folder):
    config = find_config(folder.path)
    assert (config.select, config.ignore, config.options.idle_limit) == ((), (), 28800)

"""Comments that switch findings off, for a line or a file; and what only looks like one."""

from __future__ import annotations

import pytest

from stillhere.lint import lint_source

CALL = 'from sqlalchemy import create_engine\nengine = create_engine("mysql://app@db.example/shop", pool_size=0)'
BOTH = {"SH101", "SH104"}


def rules(text: str) -> set[str]:
    return {one.finding.rule for one in lint_source(text).found}


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("", BOTH),
        ("  # noqa", set()),
        ("  # NOQA", set()),
        ("  # noqa: SH101", {"SH104"}),
        ("  # noqa:SH101,SH104", set()),
        ("  # noqa: SH101, SH104", set()),
        ("  # noqa: SH101 SH104", set()),
        ("  # noqa: E501, SH104", {"SH101"}),
        ("  # noqa: SH1", set()),
        ("  # noqa: E501", BOTH),
        ("  # noqa: sh104 - wanted here", {"SH101"}),
        ("  # noqa : SH101", {"SH104"}),
        ("  # type: ignore  # noqa: SH101", {"SH104"}),
        ("  # noqable", BOTH),
        ("  # a note about noqa", BOTH),
    ],
)
def test_a_comment_on_the_line(comment, left):
    assert rules(f"{CALL}{comment}\n") == left


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# stillhere: noqa", set()),
        ("# stillhere: noqa: SH101", {"SH104"}),
        ("# stillhere: noqa: SH101, SH104", set()),
        ("# stillhere: noqa: SH2", BOTH),
    ],
)
def test_a_comment_for_the_file_stands_anywhere(comment, left):
    assert rules(f"{CALL}\n{comment}\n") == left
    assert rules(f"{comment}\n{CALL}\n") == left


def test_a_text_that_reads_like_a_comment_is_none():
    assert rules(f'{CALL}; note = "# noqa"\n') == BOTH
    assert rules(f'"""\n# stillhere: noqa\n"""\n{CALL}\n') == BOTH


def test_a_call_over_several_lines_takes_the_comment_on_its_first_or_last():
    call = (
        'from sqlalchemy import create_engine\nengine = create_engine({}\n    "mysql://app@db.example/shop",{}\n){}\n'
    )
    assert rules(call.format("  # noqa: SH101", "", "")) == set()
    assert rules(call.format("", "", "  # noqa: SH101")) == set()
    assert rules(call.format("", "  # noqa: SH101", "")) == {"SH101"}

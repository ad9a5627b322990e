import re

from sqlalchemy.exc import OperationalError


def is_lost(error: OperationalError):
    return "gone away" in str(error)  # expect: SH407


def is_lost_too(error):
    return "Lost connection to MySQL server" in error.args[1]  # expect: SH407


def is_lost_by_search(error):
    return re.search("server has gone away", str(error)) is not None  # expect: SH407


def is_lost_by_number(error: OperationalError):
    return error.orig.args[0] in {2006, 2013}


def is_lost_by_flag(error: OperationalError):
    return error.connection_invalidated


def is_guest(text):
    return "has left" in text or "lost" in text


MESSAGES = {2006: "MySQL server has gone away", 2013: "Lost connection to MySQL server during query"}


def test_message(error):
    """An assertion is no decision."""
    assert "gone away" in str(error)


def raise_lost():
    raise OperationalError("MySQL server has gone away", None, None)

import time

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shop.database import deadlock


def fetch(session: Session, number):
    for _ in range(3):
        try:
            return number, session.connection()
        except OperationalError:
            session.rollback()
            time.sleep(1)
    raise  # expect: SH404


def run(session: Session, function):
    attempts = 0
    while attempts < 3:
        attempts += 1
        try:
            return function(session)
        except OperationalError as error:
            if not deadlock(error):
                raise
            session.rollback()
    else:
        raise  # expect: SH404


# In the handler, or with an exception.
def run_and_raise(session: Session, function):
    for attempt in range(3):
        try:
            return function(session)
        except OperationalError:
            session.rollback()
            if attempt == 2:
                raise
    return None


def run_and_keep(session: Session, function):
    last = None
    for _ in range(3):
        try:
            return function(session)
        except OperationalError as error:
            last = error
            session.rollback()
    raise last


def reraise():
    """For a handler to call."""
    raise


def once(session: Session):
    try:
        return session.execute(text("SELECT 2"))
    except OperationalError:
        session.rollback()
        raise

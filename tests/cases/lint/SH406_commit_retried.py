import time

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tenacity import retry, stop_after_attempt

from shop.database import deadlock, maker
from shop.models import Order


def store(session: Session, order):
    session.add(order)
    for _ in range(3):
        try:
            session.commit()
            break
        except OperationalError as error:  # expect: SH406
            if not deadlock(error):
                raise
            session.rollback()
            time.sleep(1)


@retry(stop=stop_after_attempt(3))  # expect: SH406
def commit(session: Session):
    session.commit()


# With its work.
def store_all(number):
    for _ in range(3):
        try:
            with maker() as session:
                session.add(Order(number=number))
                session.commit()
            break
        except OperationalError as error:
            if not deadlock(error):
                raise


def store_by_function(session: Session, work):
    for _ in range(3):
        try:
            work(session)
            session.commit()
            break
        except OperationalError as error:
            session.rollback()
            if not deadlock(error):
                raise


def store_once(session: Session, order):
    session.add(order)
    try:
        session.commit()
    except OperationalError:
        session.rollback()
        raise


@retry(stop=stop_after_attempt(3))
def commit_offset(consumer):
    consumer.commit()

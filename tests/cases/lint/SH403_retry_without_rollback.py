import time

from sqlalchemy import create_engine, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from shop.models import Stock

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Maker = sessionmaker(engine)


def deadlock(error):
    return error.orig.args[0] == 1213


def sell(session: Session, number):
    for _ in range(3):
        try:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            session.commit()
            break
        except OperationalError as error:  # expect: SH403
            if not deadlock(error):
                raise
            time.sleep(1)


class Shop:
    def __init__(self):
        self.session = Maker()

    def sell(self, number):
        while True:
            try:
                self.session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
                self.session.commit()
                return
            except OperationalError as error:  # expect: SH403
                if not deadlock(error):
                    raise


def sell_whatever(session: Session, number):
    while True:
        try:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            session.commit()
        except Exception:  # expect: SH402, SH403
            time.sleep(0.2)
            continue
        else:
            break


def fetch(client, number):
    while True:
        try:
            return client.get(number)
        except Exception:
            time.sleep(1)


# Rolled back, or a new one each time.
def sell_and_roll_back(session: Session, number):
    for _ in range(3):
        try:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            session.commit()
            break
        except OperationalError as error:
            session.rollback()
            if not deadlock(error):
                raise


def sell_by_helper(session: Session, number):
    for _ in range(3):
        try:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            session.commit()
            break
        except OperationalError as error:
            undo(session, error)


def sell_anew(number):
    for _ in range(3):
        session = Maker()
        try:
            session.execute(update(Stock).where(Stock.id == number).values(count=Stock.count - 1))
            session.commit()
            break
        except OperationalError as error:
            if not deadlock(error):
                raise
        finally:
            session.close()


def undo(session, error):
    session.rollback()
    if not deadlock(error):
        raise error

import time

import backoff
import stamina
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception, retry_if_exception_type, stop_after_attempt

from shop.database import is_deadlock, maker
from shop.models import Account


@retry(retry=retry_if_exception(is_deadlock), stop=stop_after_attempt(3))  # expect: SH401
def debit(session: Session, account, cents):
    session.execute(update(Account).where(Account.id == account).values(cents=Account.cents - cents))


@stamina.retry(on=OperationalError, attempts=3)  # expect: SH401, SH402
def credit(session: Session, account, cents):
    session.execute(update(Account).where(Account.id == account).values(cents=Account.cents + cents))


def execute(session: Session, statement):
    for attempt in range(3):
        try:
            return session.execute(text(statement))
        except OperationalError as error:  # expect: SH401
            if error.orig.args[0] != 1213 or attempt == 2:
                raise
            session.rollback()
            time.sleep(0.1)
    return None


# The whole transaction is run again.
@retry(retry=retry_if_exception(is_deadlock), stop=stop_after_attempt(3))
def transfer(source, target, cents):
    with maker.begin() as session:
        debit(session, source, cents)
        credit(session, target, cents)


@retry(retry=retry_if_exception(is_deadlock), stop=stop_after_attempt(3))
def transfer_on(session: Session, source, target, cents):
    with session.begin():
        session.execute(update(Account).where(Account.id == source).values(cents=Account.cents - cents))
        session.execute(update(Account).where(Account.id == target).values(cents=Account.cents + cents))


# Another exception, or nothing of a database.
@retry(retry=retry_if_exception_type(ConnectionError), stop=stop_after_attempt(3))
def debit_by_service(session: Session, account, cents):
    session.execute(update(Account).where(Account.id == account).values(cents=Account.cents - cents))


@backoff.on_exception(backoff.expo, OSError, max_tries=3)
def fetch(client, address):
    return client.get(address)

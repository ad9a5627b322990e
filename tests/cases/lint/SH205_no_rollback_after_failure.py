import logging

from flask import Flask, abort
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from shop.models import Order, Stock

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "mysql+pymysql://app:secret@db.example/shop"
db = SQLAlchemy(app)
log = logging.getLogger(__name__)


def refill(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
        session.commit()
    except OperationalError:  # expect: SH205
        log.exception("no update")
    return session.scalars(select(Stock)).all()


@app.post("/orders")
def create():
    db.session.add(Order())
    try:
        db.session.commit()
    except SQLAlchemyError as error:  # expect: SH205
        log.warning("not stored: %s", error)
    return [order.id for order in db.session.scalars(select(Order))]


def refill_all(session: Session, numbers):
    for number in numbers:
        try:
            session.get(Stock, number).count = 0
            session.flush()
        except (IntegrityError, OperationalError):  # expect: SH205
            log.exception("no update of %s", number)
    session.commit()


def refill_by_statement(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
    except OperationalError:  # expect: SH205
        log.exception("no update")
    return session.scalars(select(Stock)).all()


# A duplicate key harms no other statement of the transaction.
def add(session: Session, name):
    try:
        session.execute(insert(Stock).values(name=name))
    except IntegrityError:
        log.info("there already")
    session.execute(update(Stock).values(count=0))
    session.commit()


def add_and_commit(session: Session, name):
    try:
        session.execute(insert(Stock).values(name=name))
        session.commit()
    except IntegrityError:
        log.info("there already")
    session.execute(update(Stock).values(count=0))


def add_object(session: Session, name):
    session.add(Stock(name=name))
    try:
        session.commit()
    except IntegrityError:  # expect: SH205
        log.info("there already")
    session.execute(update(Stock).values(count=0))


# Rolled back.
def refill_safely(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
        session.commit()
    except OperationalError:
        session.rollback()
    return session.scalars(select(Stock)).all()


def refill_by_helper(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
        session.commit()
    except OperationalError as error:
        undo(session, error)
    return session.scalars(select(Stock)).all()


def refill_in_savepoint(session: Session):
    try:
        with session.begin_nested():
            session.execute(update(Stock).values(count=0))
    except IntegrityError:
        log.info("somebody was faster")
    return session.scalars(select(Stock)).all()


# It leaves, or isn't used again.
def refill_or_raise(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
    except OperationalError as error:
        raise RuntimeError("no update") from error
    return session.scalars(select(Stock)).all()


def refill_or_nothing(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
    except OperationalError:
        return []
    return session.scalars(select(Stock)).all()


def refill_or_abort(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
    except OperationalError:
        abort(503)
    return session.scalars(select(Stock)).all()


def refill_last(session: Session):
    try:
        session.execute(update(Stock).values(count=0))
        session.commit()
    except OperationalError:
        log.exception("no update")


def one(session: Session):
    try:
        found = session.scalars(select(Stock)).one()
    except NoResultFound:
        found = None
    return found, session.scalars(select(Order)).all()


def undo(session, error):
    log.warning("rolled back: %s", error)
    session.rollback()

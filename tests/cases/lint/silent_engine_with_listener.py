"""Older recipes ping by hand, in a listener."""

from sqlalchemy import create_engine, event, exc
from sqlalchemy.pool import Pool

engine = create_engine("mysql://app:secret@db.example/shop")


@event.listens_for(Pool, "checkout")
def ping(connection, record, proxy):
    try:
        connection.cursor().execute("SELECT 1")
    except connection.OperationalError as error:
        raise exc.DisconnectionError from error


def pool_size():
    return engine.pool.size()

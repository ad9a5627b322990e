import asyncio
import signal

import aiomysql
import asyncmy
import timeout_decorator
from sqlalchemy import text
from sqlalchemy.orm import Session


class TooSlow(Exception):
    pass


def on_alarm(signum, frame):
    raise TooSlow


signal.signal(signal.SIGALRM, on_alarm)


def report(session: Session):
    signal.alarm(30)  # expect: SH308
    rows = session.execute(text("SELECT * FROM sales")).all()
    signal.alarm(0)
    return rows


@timeout_decorator.timeout(30)  # expect: SH308
def report_with_decorator(session: Session):
    return session.execute(text("SELECT * FROM sales")).all()


async def read(pool_options):
    pool = await asyncmy.create_pool(**pool_options)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await asyncio.wait_for(cursor.execute("SELECT * FROM sales"), 5)  # expect: SH308
        return await cursor.fetchall()


# The connection is thrown away, or its driver does so.
def report_and_discard(session: Session):
    signal.alarm(30)
    try:
        return session.execute(text("SELECT * FROM sales")).all()
    except TooSlow:
        session.invalidate()
        raise
    finally:
        signal.alarm(0)


async def read_by_aiomysql(pool_options):
    pool = await aiomysql.create_pool(**pool_options)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await asyncio.wait_for(cursor.execute("SELECT * FROM sales"), 5)
        return await cursor.fetchall()


async def read_and_close(pool_options):
    pool = await asyncmy.create_pool(**pool_options)
    async with pool.acquire() as connection, connection.cursor() as cursor:
        try:
            await asyncio.wait_for(cursor.execute("SELECT * FROM sales"), 5)
        except TimeoutError:
            connection.close()
            raise


def compute():
    signal.alarm(30)
    total = sum(range(10**8))
    signal.alarm(0)
    return total


def limited(session: Session):
    return session.execute(text("SELECT /*+ MAX_EXECUTION_TIME(30000) */ * FROM sales")).all()

import asyncmy
import MySQLdb
import mysql.connector
import pymysql
import redis


def cursor_of(connection):
    connection.ping(reconnect=True)  # expect: SH405
    return connection.cursor()


def old():
    connection = MySQLdb.connect(db="shop")
    connection.ping(True)  # expect: SH405
    return connection


def connector():
    connection = mysql.connector.connect(database="shop")
    connection.ping(reconnect=True, attempts=3, delay=1)  # expect: SH405
    return connection


async def by_default(options):
    connection = await asyncmy.connect(**options)
    await connection.ping()  # expect: SH405
    return connection


async def plain_async(options):
    connection = await asyncmy.connect(**options)
    await connection.ping(reconnect=False)
    return connection


def plain():
    connection = pymysql.connect(database="shop")
    connection.ping()
    connection.ping(reconnect=False)
    return connection


def others(host, ping):
    redis.Redis(host).ping()
    ping(True)
    host.ping(True)

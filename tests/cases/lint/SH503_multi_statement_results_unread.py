import mysql.connector
import MySQLdb
import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import create_engine, text

engine = create_engine("mysql+mysqldb://app:secret@db.example/shop", pool_pre_ping=True)
other = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)


def reset():
    cursor = MySQLdb.connect(db="shop").cursor()
    cursor.execute("SET @total = 0; UPDATE orders SET total = 0")  # expect: SH503


def reset_by_flag():
    connection = pymysql.connect(database="shop", client_flag=CLIENT.MULTI_STATEMENTS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM a; DELETE FROM b;")  # expect: SH503


def reset_by_connector():
    cursor = mysql.connector.connect(database="shop").cursor()
    cursor.execute("DELETE FROM a; DELETE FROM b", multi=True)  # expect: SH503


def reset_by_engine():
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM a; DELETE FROM b"))  # expect: SH503


# All read, one statement, or refused by the driver.
def reset_and_read():
    cursor = MySQLdb.connect(db="shop").cursor()
    cursor.execute("SET @total = 0; UPDATE orders SET total = 0")
    while cursor.nextset():
        pass


def single():
    cursor = MySQLdb.connect(db="shop").cursor()
    cursor.execute("DELETE FROM a;")
    cursor.execute("INSERT INTO notes VALUES ('a; b')")
    cursor.execute("SELECT 1 -- first; then more")
    cursor.execute("CREATE PROCEDURE p() BEGIN DELETE FROM a; DELETE FROM b; END")


def iterated():
    cursor = mysql.connector.connect(database="shop").cursor()
    for result in cursor.execute("DELETE FROM a; DELETE FROM b", multi=True):
        print(result.rowcount)


def refused():
    with other.begin() as connection:
        connection.execute(text("DELETE FROM a; DELETE FROM b"))


def switched_off():
    cursor = MySQLdb.connect(db="shop", multi_statements=False).cursor()
    cursor.execute("DELETE FROM a; DELETE FROM b")

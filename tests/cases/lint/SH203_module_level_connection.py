import os

import mysql.connector
import MySQLdb
import psycopg2
import pymysql
import pymysql.cursors
from flask import Flask

app = Flask(__name__)
db = pymysql.connect(host="db.example", user="app", database="shop")  # expect: SH203
old = MySQLdb.connect("db.example", "app", os.environ["PASSWORD"], "shop")  # expect: SH203
cnx = mysql.connector.connect(user="app", database="shop")  # expect: SH203
other = psycopg2.connect("dbname=shop")
SETTINGS = {"host": "db.example", "cursorclass": pymysql.cursors.DictCursor}


@app.route("/orders")
def orders():
    with db.cursor() as cursor:
        cursor.execute("SELECT id FROM orders")
        return [row[0] for row in cursor.fetchall()]


@app.route("/items")
def items():
    cursor = old.cursor()
    cursor.execute("SELECT id FROM items")
    return [row[0] for row in cursor.fetchall()]


@app.route("/users")
def users():
    cursor = cnx.cursor()
    cursor.execute("SELECT id FROM users")
    return [row[0] for row in cursor.fetchall()]


@app.route("/reports")
def reports():
    connection = pymysql.connect(**SETTINGS)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM reports")
            return [row[0] for row in cursor.fetchall()]
    finally:
        connection.close()


@app.route("/others")
def others():
    cursor = other.cursor()
    cursor.execute("SELECT id FROM others")
    return [row[0] for row in cursor.fetchall()]


if __name__ == "__main__":
    app.run()


class Database:
    connection = pymysql.connect(**SETTINGS)  # expect: SH203
    timeout = 5

    def __init__(self):
        self.own = pymysql.connect(**SETTINGS)

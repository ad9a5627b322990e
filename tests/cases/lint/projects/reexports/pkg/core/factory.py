import pymysql
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.exc import OperationalError as Lost

make = sqlalchemy.create_engine
connect = pymysql.connect
URL = "mysql+pymysql://app@db.example/shop"
Maker = orm.sessionmaker(make(URL, pool_pre_ping=True))
GONE = (Lost, pymysql.err.OperationalError)

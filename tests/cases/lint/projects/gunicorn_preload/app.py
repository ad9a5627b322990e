from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


app = Flask(__name__)
engine = create_engine("mysql+mysqldb://app@db.example/shop", pool_pre_ping=True)
protected = create_engine("mysql+mysqldb://app@db.example/shop?plugin=stillhere")
Base.metadata.create_all(engine)  # expect: SH307
Base.metadata.create_all(protected)


@app.get("/")
def index():
    return "shop"

import os
from datetime import timedelta

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine

URI = "mysql+pymysql://app:secret@db.example/shop"
HOUR = 60 * 60
OPTIONS = {
    "pool_size": 5,
    "pool_recycle": 10 * HOUR,  # expect: SH102
}

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = URI
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
    "pool_recycle": 86_400,  # expect: SH102
}
db = SQLAlchemy(app)


class Config:
    SQLALCHEMY_DATABASE_URI = URI
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_recycle": 280, "pool_size": 10}


class Slow(Config):
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_recycle": 30000}  # expect: SH102


class Local(Config):
    SQLALCHEMY_DATABASE_URI = "sqlite://"
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_recycle": 36000}


equal = create_engine(URI, pool_recycle=28800)  # expect: SH102
shared = create_engine(URI, **OPTIONS)
read = create_engine(URI, pool_recycle=int(os.environ.get("POOL_RECYCLE", "36000")))  # expect: SH102

below = create_engine(URI, pool_recycle=28799)
usual = create_engine(URI, pool_recycle=HOUR)
pinged = create_engine(URI, pool_recycle=10 * HOUR, pool_pre_ping=True)
protected = create_engine(URI + "?plugin=stillhere", pool_recycle=10 * HOUR)
unknown = create_engine(URI, pool_recycle=timedelta(days=1).total_seconds())
other = create_engine("postgresql://app@db.example/shop", pool_recycle=10 * HOUR)

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

URI = "mysql+pymysql://app:secret@db.example/shop"

# The driver gets these.
in_arguments = create_engine(URI, pool_pre_ping=True, connect_args={"pool_recycle": 280})  # expect: SH103
in_url = create_engine(URI + "?charset=utf8mb4&pool_recycle=280", pool_pre_ping=True)  # expect: SH103
right = create_engine(URI + "?charset=utf8mb4", pool_recycle=280, connect_args={"connect_timeout": 5})
other = create_engine("postgresql://app@db.example/shop", connect_args={"pool_recycle": 280})

# Nobody gets these.
Session = sessionmaker(right, pool_pre_ping=True)  # expect: SH103
Fine = sessionmaker(right, expire_on_commit=False)
right.pool_recycle = 100  # expect: SH103


class Settings:
    SQLALCHEMY_DATABASE_URI = URI
    SQLALCHEMY_POOL_RECYCLE = 280  # expect: SH103
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 5, "pool_recycle": 280}
    SQLALCHEMY_ECHO = False


class Pool:
    pool_recycle = 3600

    def configure(self):
        self.pool_recycle = 280


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = URI
    db = SQLAlchemy(app)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_recycle": 280}  # expect: SH103
    return app, db


db = SQLAlchemy()


def create_app_in_order(config):
    app = Flask(__name__)
    app.config.from_object(config)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_recycle": 280}
    db.init_app(app)
    return app


def create_app_too_late(config):
    app = Flask(__name__)
    app.config.from_object(config)
    db.init_app(app)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_recycle": 280}  # expect: SH103
    return app


# By the application's own name, and passed on by hand.
SQLALCHEMY_POOL_SIZE = 5
by_hand = create_engine(URI, pool_size=SQLALCHEMY_POOL_SIZE, pool_pre_ping=True)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "shop",
        "OPTIONS": {
            "charset": "utf8mb4",
            "CONN_MAX_AGE": 60,  # expect: SH103
        },
    },
    "other": {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {"CONN_MAX_AGE": 60},
    },
}
CONN_HEALTH_CHECKS = True  # expect: SH103

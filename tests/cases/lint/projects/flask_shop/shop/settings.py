import os


class Base:
    SQLALCHEMY_TRACK_MODIFICATIONS = False
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_recycle": 3600}  # expect: SH102


class Testing(Base):
    SQLALCHEMY_DATABASE_URI = "sqlite://"
    SQLALCHEMY_ENGINE_OPTIONS = {}


class Production(Base):
    SQLALCHEMY_DATABASE_URI = f"mysql+pymysql://app@{os.environ['DB_HOST']}/shop"

import os

import sqlalchemy as sa
from sqlalchemy import URL, create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

HOST = os.environ["DB_HOST"]
URI = "mysql+pymysql://app:secret@db.example/shop"
COMMON = {"echo": False, "pool_size": 5}
ALIVE = dict(COMMON, pool_pre_ping=True)
SETTINGS = {"pool_size": 5}
SETTINGS["pool_recycle"] = 280
BUILT = dict(pool_size=3)
BUILT.update(pool_pre_ping=True)
JOINED = COMMON | {"pool_recycle": 280}

# Nothing that keeps dead connections out.
plain = create_engine(URI)  # expect: SH101
aliased = sa.create_engine(URI, echo=True)  # expect: SH101
formatted = create_engine(f"mysql://app@{HOST}/shop", pool_size=10)  # expect: SH101
added = create_engine("mysql+mysqldb://" + HOST + "/shop")  # expect: SH101
unpacked = create_engine(URI, **COMMON)  # expect: SH101
never = create_engine(URI, pool_recycle=-1)  # expect: SH101
off = create_engine(URI, pool_pre_ping=False)  # expect: SH101
# A file of this project shows the plugin, so that an address that isn't known may have it.
from_environment = create_engine(os.environ["DATABASE_URL"])
with_default = create_engine(os.environ.get("DATABASE_URL", "mysql://app@db.example/shop"))
asynchronous = create_async_engine("mysql+asyncmy://app@db.example/shop")  # expect: SH101
made = create_engine(URL.create("mysql+pymysql", username="app", host=HOST))  # expect: SH101
maria = create_engine("mariadb+mariadbconnector://app@db.example/shop")  # expect: SH101
spread = create_engine(  # expect: SH101
    URI,
    **{**COMMON, "max_overflow": 5},
)

# Something does.
recycled = create_engine(URI, pool_recycle=280)
pinged = create_engine(URI, pool_pre_ping=True)
by_dictionary = create_engine(URI, **ALIVE)
by_item = create_engine(URI, **SETTINGS)
by_update = create_engine(URI, **BUILT)
by_union = create_engine(URI, **JOINED)
by_display = create_engine(URI, **{**COMMON, "pool_pre_ping": True})
unpooled = create_engine(URI, poolclass=NullPool)
unpooled_by_module = sa.create_engine(URI, poolclass=sa.pool.NullPool)
configured = create_engine(URI, pool_recycle=int(os.environ["RECYCLE"]))
switched = create_engine(URI, pool_pre_ping=os.environ.get("PING") == "1")

# stillhere looks after these.
protected = create_engine(URI + "?plugin=stillhere")
protected_too = create_engine(f"mysql://app@{HOST}/shop?charset=utf8mb4&plugin=stillhere")
by_plugins = create_engine(URI, plugins=["stillhere"])
by_object = create_engine(sa.make_url(URI).update_query_dict({"plugin": "stillhere"}))

# Another database.
lite = create_engine("sqlite:///shop.db")
postgres = create_engine(f"postgresql+psycopg://app@{HOST}/shop", pool_size=10)
postgres_made = create_engine(URL.create("postgresql", host=HOST))
from_other_default = create_engine(os.environ.get("REPORTS_URL", "postgresql://app@db.example/reports"))


def unknown(options):
    """What is passed in may have it."""
    return create_engine(URI, **options)


def sometimes(debug):
    options = {"pool_size": 5}
    if not debug:
        options["pool_pre_ping"] = True
    return create_engine(URI, **options)


def loud(debug):
    options = {"pool_size": 5}
    if debug:
        options["echo"] = True
    return create_engine(URI, **options)  # expect: SH101


def either(production):
    options = {"pool_pre_ping": False}
    if production:
        options["pool_pre_ping"] = True
    return create_engine(URI, **options)


class Database:
    def create_engine(self, url):
        return url

    def make(self):
        return self.create_engine("mysql://app@db.example/shop")

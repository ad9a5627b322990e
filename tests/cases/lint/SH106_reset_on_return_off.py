from sqlalchemy import create_engine

URI = "mysql+pymysql://app:secret@db.example/shop"
OPTIONS = {"pool_pre_ping": True, "pool_reset_on_return": None}  # expect: SH106

off = create_engine(URI, pool_pre_ping=True, pool_reset_on_return=None)  # expect: SH106
named = create_engine(URI, **OPTIONS)
isolated = create_engine(  # a level of isolation that isn't autocommit
    URI,
    pool_pre_ping=True,
    pool_reset_on_return=None,  # expect: SH106
    isolation_level="READ COMMITTED",
)

autocommit = create_engine(URI, pool_pre_ping=True, pool_reset_on_return=None, isolation_level="AUTOCOMMIT")
by_driver = create_engine(URI, pool_pre_ping=True, pool_reset_on_return=None, connect_args={"autocommit": True})
by_option = create_engine(
    URI, pool_pre_ping=True, pool_reset_on_return=None, execution_options={"isolation_level": "AUTOCOMMIT"}
)
default = create_engine(URI, pool_pre_ping=True)
spelt = create_engine(URI, pool_pre_ping=True, pool_reset_on_return="rollback")
other = create_engine("postgresql://app@db.example/shop", pool_reset_on_return=None)

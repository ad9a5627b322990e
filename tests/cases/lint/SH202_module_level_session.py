from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
lite = create_engine("sqlite://")
Maker = sessionmaker(engine)
registry = scoped_session(Maker)
AsyncMaker = async_sessionmaker(create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True))

session = Maker()  # expect: SH202
direct = Session(engine)  # expect: SH202
bound = Session(bind=engine)  # expect: SH202
connection = engine.connect()  # expect: SH202
asynchronous = AsyncMaker()  # expect: SH202

in_memory = Session(lite)
metadata = {"session": Maker}

with Maker() as once:
    RATES = once.execute(text("SELECT currency, rate FROM rates")).all()

used_up = Maker()
CURRENCIES = used_up.scalars(text("SELECT code FROM currencies")).all()
used_up.close()


def orders():
    return session.scalars(select(Order)).all()


def orders_anew():
    with Maker() as session:
        return session.scalars(select(Order)).all()


def orders_of_request():
    return registry.scalars(select(Order)).all()


class Store:
    def __init__(self):
        self.session = Maker()

from celery import Celery
from celery.signals import worker_init, worker_process_init
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

URI = "mysql+pymysql://app:secret@db.example/shop"
engine = create_engine(URI, pool_pre_ping=True)
protected = create_engine(URI + "?plugin=stillhere")
Session = sessionmaker(engine)
app = Celery("shop")
RATES = {}


@worker_init.connect
def warm_up(**kwargs):
    with engine.connect() as connection:  # expect: SH307
        RATES.update(connection.execute(text("SELECT currency, rate FROM rates")).tuples())


@worker_init.connect(weak=False)
def warm_up_by_session(**kwargs):
    with Session() as session:
        RATES.update(session.execute(text("SELECT currency, rate FROM rates")).tuples())  # expect: SH307


@worker_process_init.connect
def warm_up_in_child(**kwargs):
    with engine.connect() as connection:
        RATES.update(connection.execute(text("SELECT currency, rate FROM rates")).tuples())


@worker_init.connect
def warm_up_protected(**kwargs):
    with protected.connect() as connection:
        RATES.update(connection.execute(text("SELECT currency, rate FROM rates")).tuples())


@worker_init.connect
def greet(**kwargs):
    RATES["EUR"] = 1

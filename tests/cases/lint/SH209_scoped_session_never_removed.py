from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, select
from sqlalchemy.orm import scoped_session, sessionmaker

from shop.models import Order

app = Flask(__name__)
engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
lite = create_engine("sqlite://")
Session = scoped_session(sessionmaker(engine))  # expect: SH209
Local = scoped_session(sessionmaker(lite))
db = SQLAlchemy(app)


@app.get("/orders")
def orders():
    return [order.id for order in Session.scalars(select(Order))]


@app.get("/others")
def others():
    return [order.id for order in db.session.scalars(select(Order))]

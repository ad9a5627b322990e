from django.db import connection
from django.urls import path
from fastapi import Depends, FastAPI
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Maker = sessionmaker(engine)
app = Flask(__name__)
api = FastAPI()
db = SQLAlchemy(app)


def get_session():
    with Maker() as session:
        yield session


@app.get("/livez")
def livez():
    db.session.execute(text("SELECT 1"))  # expect: SH605
    return "ok"


@app.route("/health/live")
def health_live():
    with engine.connect():  # expect: SH605
        return "ok"


@api.get("/liveness")
def liveness(session: Session = Depends(get_session)):
    session.execute(text("SELECT 1"))  # expect: SH605
    return {"status": "ok"}


@app.get("/alive")
def alive():
    return "ok"


@app.get("/readyz")
def readyz():
    db.session.execute(text("SELECT 1"))
    return "ok"


@app.get("/health")
def health():
    db.session.execute(text("SELECT 1"))
    return "ok"


@app.get("/delivery")
def delivery():
    return str(db.session.scalar(text("SELECT COUNT(*) FROM deliveries")))


@app.get("/liver-values")
def liver_values():
    return str(db.session.scalar(text("SELECT COUNT(*) FROM liver")))


def check(request):
    connection.ensure_connection()


urlpatterns = [path("ready/", check)]

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from flask import Flask, Response, stream_with_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from shop.models import Order

engine = create_engine("mysql+pymysql://app:secret@db.example/shop", pool_pre_ping=True)
Maker = sessionmaker(engine)
api = FastAPI()
app = Flask(__name__)
db = SQLAlchemy(app)


def get_session():
    with Maker() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def lines(session):
    for order in session.scalars(select(Order)):
        yield f"{order.id}\n"


def own_lines():
    with Maker() as session:
        for order in session.scalars(select(Order)):
            yield f"{order.id}\n"


@api.get("/export")
def export(session: Session = Depends(get_session)):
    return StreamingResponse(lines(session))  # expect: SH207


@api.get("/export2")
def export_annotated(session: SessionDep):
    def rows():
        for order in session.scalars(select(Order)):
            yield f"{order.id}\n"

    return StreamingResponse(rows(), media_type="text/plain")  # expect: SH207


@api.get("/export3")
def export_safely():
    return StreamingResponse(own_lines())


@api.get("/export4")
def export_list(session: SessionDep):
    found = [f"{order.id}\n" for order in session.scalars(select(Order))]
    return StreamingResponse(iter(found))


@api.get("/orders")
def orders(session: SessionDep):
    return JSONResponse([order.id for order in session.scalars(select(Order))])


@app.get("/lines")
def flask_lines():
    def generate():
        for order in db.session.scalars(select(Order)):
            yield f"{order.id}\n"

    return Response(generate(), mimetype="text/plain")  # expect: SH207


@app.get("/lines2")
def flask_lines_in_context():
    def generate():
        for order in db.session.scalars(select(Order)):
            yield f"{order.id}\n"

    return Response(stream_with_context(generate()), mimetype="text/plain")


@app.get("/text")
def flask_text():
    return Response("\n".join(str(order.id) for order in db.session.scalars(select(Order))))

import requests
from flask import Blueprint, jsonify
from sqlalchemy import select

from .extensions import db
from .models import Order

shop = Blueprint("shop", __name__)


@shop.get("/orders/<int:number>")
def order(number):
    found = db.session.get(Order, number)
    rate = requests.get("https://rates.example/", timeout=10).json()  # expect: SH206
    db.session.commit()
    return jsonify(id=found.id, rate=rate)


@shop.get("/orders")
def orders():
    return jsonify([one.id for one in db.session.scalars(select(Order))])

import time

from flask import Flask

import pkg.core as core
from pkg.core import GONE, Maker, connect, make

app = Flask(__name__)
engine = make(core.URL, pool_size=5)  # expect: SH101
session = core.Maker()  # expect: SH202
db = connect(host="db.example")  # expect: SH203


def store(order):
    for _ in range(3):
        try:
            with Maker() as session:
                session.add(order)
                session.commit()
            return
        except GONE:  # expect: SH402
            time.sleep(1)


@app.get("/")
def index():
    return str(session) + str(db) + str(engine)

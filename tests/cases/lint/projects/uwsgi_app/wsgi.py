from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "mysql+mysqldb://app@db.example/shop"
    db.init_app(app)
    with app.app_context():
        db.create_all()  # expect: SH307
    return app


app = create_app()

from flask import Flask

from .extensions import db
from .settings import Production


def create_app(settings=Production):
    app = Flask(__name__)
    app.config.from_object(settings)
    db.init_app(app)
    from . import views

    app.register_blueprint(views.shop)
    return app

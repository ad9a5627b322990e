from celery.signals import task_postrun, worker_init
from sqlalchemy import text

from .app import app
from .database import Session, engine


@app.task
def clean():
    Session.execute(text("DELETE FROM sessions"))
    Session.commit()


@task_postrun.connect
def remove_session(**kwargs):
    Session.remove()


@worker_init.connect
def check(**kwargs):
    with engine.connect():  # expect: SH307
        pass

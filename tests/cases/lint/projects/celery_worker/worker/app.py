from celery import Celery

app = Celery("worker", backend="db+mysql://app@db.example/results")
app.config_from_object("worker.celeryconfig")

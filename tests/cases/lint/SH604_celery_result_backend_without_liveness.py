from celery import Celery

STORE = "db+mysql+pymysql://app:secret@db.example/results"

app = Celery("shop", broker="redis://", backend=STORE)  # expect: SH604
direct = Celery("shop", broker="redis://", backend="db+mysql://app@db.example/results")  # expect: SH604
app.conf.result_backend = STORE  # expect: SH604

by_redis = Celery("shop", broker="redis://", backend="redis://")
by_postgres = Celery("shop", broker="redis://", backend="db+postgresql://app@db.example/results")
by_stillhere = Celery("shop", broker="redis://", backend=STORE + "?plugin=stillhere")
by_default = Celery("shop")


class Store:
    result_backend = "db+sqlite:///results.db"

from app import engine

preload_app = True


def when_ready(server):
    with engine.connect() as connection:  # expect: SH307
        server.log.info("database: %s", connection.engine.url.host)


def post_fork(server, worker):
    server.log.info("worker %s", worker.pid)

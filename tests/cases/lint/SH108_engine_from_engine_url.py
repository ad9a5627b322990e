from sqlalchemy import create_engine

URI = "mysql+pymysql://app:secret@db.example/shop"

protected = create_engine(URI + "?plugin=stillhere")
plain = create_engine(URI, pool_pre_ping=True)

lost = create_engine(protected.url, pool_pre_ping=True)  # expect: SH108
kept = create_engine(protected.url, plugins=["stillhere"])
same = create_engine(plain.url, pool_pre_ping=True)
from_text = create_engine(URI + "?plugin=stillhere", pool_size=2)


class Holder:
    url = URI


class Request:
    def __init__(self, url):
        self.url = url


request = Request(URI)
by_holder = create_engine(Holder.url, pool_pre_ping=True)
by_request = create_engine(request.url, pool_pre_ping=True)

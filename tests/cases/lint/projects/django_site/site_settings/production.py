from .base import *
from .base import DATABASE

DATABASES = {"default": dict(DATABASE, HOST="db.example", CONN_MAX_AGE=300)}  # expect: SH601

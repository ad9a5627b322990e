import os

import dj_database_url

DEBUG = False
SHARED = {"HOST": "db.example", "CONN_MAX_AGE": 300}  # expect: SH601

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "shop",
        "CONN_MAX_AGE": 600,  # expect: SH601
    },
    "shared": {"ENGINE": "django.db.backends.mysql", **SHARED},
    "read": {
        "ENGINE": "django.db.backends.mysql",
        "CONN_MAX_AGE": int(os.environ.get("CONN_MAX_AGE", "60")),  # expect: SH601
        "CONN_HEALTH_CHECKS": False,
    },
    "url": dj_database_url.config(conn_max_age=600),  # expect: SH601
    "checked": {
        "ENGINE": "django.db.backends.mysql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    },
    "checked_url": dj_database_url.config(conn_max_age=600, conn_health_checks=True),
    "default_age": {"ENGINE": "django.db.backends.mysql", "NAME": "shop"},
    "each_request": {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "CONN_MAX_AGE": 0},
    "other": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "CONN_MAX_AGE": 600},
    "unknown": {"ENGINE": os.environ["ENGINE"], "NAME": "shop", "CONN_MAX_AGE": 600},
}

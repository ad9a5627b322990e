DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "shop",
        "CONN_MAX_AGE": None,  # expect: SH602
    },
    "long": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "shop",
        "CONN_MAX_AGE": 24 * 60 * 60,  # expect: SH602
    },
    "checked": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "shop",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    },
    "other": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "CONN_MAX_AGE": None},
}

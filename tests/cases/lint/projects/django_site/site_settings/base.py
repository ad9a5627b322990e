DATABASE = {
    "ENGINE": "django.db.backends.mysql",
    "NAME": "site",
    "CONN_MAX_AGE": 60,
}
DATABASES = {"default": {**DATABASE, "CONN_HEALTH_CHECKS": True}}

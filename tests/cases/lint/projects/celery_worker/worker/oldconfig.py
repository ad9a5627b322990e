CELERY_BROKER_URL = "redis://"
CELERY_RESULT_BACKEND = "db+mysql://app@db.example/results"  # expect: SH604

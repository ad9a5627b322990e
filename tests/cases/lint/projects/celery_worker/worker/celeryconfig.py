broker_url = "redis://"
result_backend = "db+mysql://app@db.example/results"
database_engine_options = {"pool_pre_ping": True}

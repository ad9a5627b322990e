POOL = {"pool_size": 10}
RECYCLED = {**POOL, "pool_recycle": 40_000}

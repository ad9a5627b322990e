from functools import lru_cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "mysql+asyncmy://app@db.example/orders"
    pool_recycle: int = 40_000


@lru_cache
def get_settings():
    return Settings()


settings = get_settings()

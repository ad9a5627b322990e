import os

from sqlalchemy import create_engine

engine = create_engine(os.environ["DATABASE_URL"], pool_size=20)
plain = create_engine("mysql://app@db.example/other")  # expect: SH101

from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine("mysql+mysqldb://app@db.example/shop", pool_pre_ping=True)
Session = scoped_session(sessionmaker(engine))

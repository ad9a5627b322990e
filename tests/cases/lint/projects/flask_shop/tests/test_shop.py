from sqlalchemy import create_engine

engine = create_engine("mysql://app@db.example/shop")


def test_engine():
    assert engine

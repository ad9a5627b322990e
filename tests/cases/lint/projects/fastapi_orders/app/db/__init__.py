from .engine import Session, engine
from .session import SessionDep

__all__ = ["Session", "SessionDep", "engine"]

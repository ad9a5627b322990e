from pathlib import Path

import pymysql
from fastapi import UploadFile
from flask import request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert
from sqlalchemy.orm import Session

from shop.models import Photo

db = SQLAlchemy()
MAX_PHOTO = 1_000_000


def upload():
    photo = Photo(name="photo", image=request.files["photo"].read())  # expect: SH505
    db.session.add(photo)
    db.session.commit()


def upload_by_insert(session: Session):
    session.execute(insert(Photo).values(image=request.files["photo"].read()))  # expect: SH505


async def upload_by_api(session: Session, file: UploadFile):
    image = await file.read()  # the value of the parameter below
    session.add(Photo(image=image))  # expect: SH505


def load(path):
    cursor = pymysql.connect(database="shop").cursor()
    with open(path, "rb") as file:
        cursor.execute("INSERT INTO photos VALUES (%s)", (file.read(),))  # expect: SH505


# Limited, or no blob.
def upload_limited(session: Session):
    image = request.files["photo"].read(MAX_PHOTO + 1)
    if len(image) > MAX_PHOTO:
        return 413
    session.execute(insert(Photo).values(image=image))
    return 201


def upload_checked(session: Session):
    image = request.files["photo"].read()
    if len(image) > MAX_PHOTO:
        return 413
    session.add(Photo(image=image))
    return 201


def migrate(session: Session, path):
    session.execute(path.read_text())


def name(session: Session):
    session.add(Photo(name=request.files["photo"].filename))


def remember(seen: set, file):
    seen.add(file.read())


def load_part(session: Session, file):
    session.add(Photo(image=file.read(65536)))


SCHEMA = Path("schema.sql").read_text()


def run_script(path):
    cursor = pymysql.connect(database="shop").cursor()
    with open(path) as file:
        statements = file.read()
    cursor.execute(statements)

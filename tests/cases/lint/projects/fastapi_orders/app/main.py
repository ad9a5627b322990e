import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import select, text

from app import db
from app.db import SessionDep
from app.models import Item, Order

app = FastAPI()


@app.get("/orders")
async def orders(session: SessionDep):
    first, second = await asyncio.gather(session.scalars(select(Order)), session.scalars(select(Item)))  # expect: SH304
    return [*first, *second]


@app.get("/export")
async def export(session: SessionDep):
    async def lines():
        async for order in await session.stream_scalars(select(Order)):
            yield f"{order.id}\n"

    return StreamingResponse(lines())  # expect: SH207


@app.get("/livez")
async def livez():
    async with db.engine.connect() as connection:  # expect: SH605
        await connection.execute(text("SELECT 1"))
    return "ok"

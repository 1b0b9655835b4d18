"""The product's first sketch still works."""

import httpx

from models.user import EXAMPLE_INPUT


async def test_the_first_sketch_creates_a_user_who_can_be_read_back(client: httpx.AsyncClient) -> None:
    created = await client.post("/users", json=EXAMPLE_INPUT)
    assert created.status_code == 201
    user = created.json()
    assert created.headers["location"] == f"/users/{user['id']}"
    assert (await client.get(f"/users/{user['id']}")).json() == user
    assert user["profile"]["addresses"][0]["city"] == "北京"

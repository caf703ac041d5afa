"""The routes of figures as their clients see them."""


async def test_the_summary_over_http(call, offers):
    await offers.offer({}, {"status": "deleted"})
    status, told, _ = await call("GET", "/api/v2/analytics/summary")
    assert (status, told["diamonds"], told["deleted"], told["mean_price"]) == (200, 1, 1, 1150.0)

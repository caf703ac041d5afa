"""Clients from a file: each row is entered or reported, and a bad one fails alone."""

import pytest

CSV = """E-Mail,Full name,stage,Colour\r
ann@example.com,"Ann, of Elm",lead,red\r
ANN@example.com,Ann again,lead,\r
known@example.com,Known,lead,\r
\r
no address,Bob,lead,\r
cy@example.com,Cy,somewhere,\r
dee@example.com,,negotiating,\r
"""


async def test_a_csv_file_is_entered_with_a_report_of_duplicates_and_bad_rows(web):
    await web.register()
    known = await web.client("known@example.com")
    given = {"csv": CSV, "mapping": {"E-Mail": "email", "Full name": "name"}}
    planned = await web("POST", "/api/clients/import", {**given, "dry_run": True})
    assert len(await web("GET", "/api/clients")) == 1
    report = await web("POST", "/api/clients/import", given)
    assert planned == report
    assert report["created"] == 2
    assert report["ignored_columns"] == ["Colour"]
    assert [(one["line"], one["client_id"]) for one in report["duplicates"]] == [(3, None), (4, known["id"])]
    assert [one["line"] for one in report["failed"]] == [6, 7]
    names = [one["name"] for one in await web("GET", "/api/clients")]
    assert names == ["Ann Client", "Ann, of Elm", None]
    again = await web("POST", "/api/clients/import", given)
    assert (again["created"], len(again["duplicates"])) == (0, 4)


@pytest.mark.parametrize(
    "cell", ["a\0b", "a\ufffdb", "x" * 200_000, "\x1b[31m", "a\u2028b", "a\x85b"], ids=lambda cell: ascii(cell[:8])
)
async def test_a_row_with_an_odd_cell_fails_alone(web, cell):
    await web.register()
    given = {"csv": f"email,name\nodd@example.com,{cell}\nbob@example.com,\u00a0Bob\u00a0\n"}
    report = await web("POST", "/api/clients/import", given)
    assert [(one["line"], one["problems"][0].split(":")[0]) for one in report["failed"]] == [(2, "name")]
    assert [(one["email"], one["name"]) for one in await web("GET", "/api/clients")] == [("bob@example.com", "Bob")]


@pytest.mark.parametrize(
    "given",
    [
        {"csv": "name\nAnn"},
        {"csv": "email\na@example.com", "mapping": {"email": "id"}},
        {"csv": '"email\na@example.com'},
        {"csv": "email\n" + '"a" b@example.com\n' * 21},
        {"csv": "email,Email\na@example.com,b@example.com"},
        {"csv": "email,first name,last name", "mapping": {"first name": "name", "last name": "name"}},
        {"csv": "email,phone\na@example.com,1", "mapping": {"Telefon": "phone"}},
        {"csv": "email\n" + "a@example.com\n" * 1001},
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(web, given):
    await web.register()
    await web("POST", "/api/clients/import", given, status=422)


async def test_a_full_file_is_entered_with_its_cadence(web, crm):
    await web.register()
    file = "email\n" + "".join(f"c{number}@example.com\n" for number in range(1000))
    assert (await web("POST", "/api/clients/import", {"csv": file}))["created"] == 1000
    [planned] = await crm.fetch("select count(*) as n, count(distinct client_id) as clients from followups.tasks")
    assert planned == {"n": 5000, "clients": 1000}

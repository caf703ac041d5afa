"""Clients are entered, one by one or from a file, changed and deleted."""

import json

import pytest

from shared.platform.cursors import sealed

CSV = """E-Mail,Full name,stage,Colour\r
ann@example.com,"Ann, of Elm",lead,red\r
ANN@example.com,Ann again,lead,\r
known@example.com,Known,lead,\r
\r
no address,Bob,lead,\r
cy@example.com,Cy,somewhere,\r
dee@example.com,,negotiating,\r
"""


def next_of(path, last):
    return f'<{path}/tasks?limit=2&cursor={sealed(str(last), "followups_client_tasks")}>; rel="next"'


async def test_a_client_is_entered_changed_paused_listed_and_deleted(web):
    await web.register()
    client = await web.client()
    path = f"/api/clients/{client['id']}"
    assert (await web("PATCH", path, {"stage": "negotiating"}))["stage"] == "negotiating"
    assert (await web("GET", path))["email"] == "ann@example.com"
    assert (await web("POST", f"{path}/pause"))["paused_at"]
    assert (await web("POST", f"{path}/resume"))["paused_at"] is None
    planned = await web("GET", f"{path}/tasks?limit=2")
    assert web.link == next_of(path, planned[-1]["id"])
    steps = ["Day 1", "Day 3", "Week 1", "Week 2", "Month 1"]
    assert [one["followup_type"] for one in await web.pages(f"{path}/tasks?limit=2")] == steps
    assert [one["followup_type"] for one in await web("GET", f"{path}/tasks?limit=2&page=2")] == steps[2:4]
    assert web.link == next_of(path, planned[-1]["id"] + 2)
    other = await web.client("bob@example.com", name="Bob")
    assert [one["id"] for one in await web.pages("/api/clients?limit=1")] == [client["id"], other["id"]]
    assert len({one["id"] for one in await web.pages("/api/tasks?limit=3")}) == 10
    assert (await web("POST", f"{path}/merge", {"other_id": other["id"]}))["id"] == client["id"]
    await web("DELETE", path)
    await web("DELETE", path, status=404)
    third = await web.client("c@example.com")
    gone = await web("POST", "/api/clients/bulk-delete", {"client_ids": [third["id"], client["id"]]})
    assert gone == {"deleted": [third["id"]]}
    assert await web("GET", "/api/clients") == []
    fourth = await web("POST", "/api/clients", {"email": "d@example.com"})
    assert await web("GET", f"/api/clients/{fourth['id']}/tasks") == []
    fifth = await web("POST", "/api/clients?create_tasks=true", {"email": "e@example.com"})
    assert len(await web("GET", f"/api/clients/{fifth['id']}/tasks")) == 5
    ids = {"ids": [fourth["id"], third["id"], third["id"]]}
    assert await web("DELETE", "/api/clients/bulk", ids) == {
        "success": True, "deleted_count": 1, "failed_ids": [third["id"]], "total_requested": 3
    }  # fmt: skip
    await web("GET", "/api/clients?limit=101", status=422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ann\r\nBcc: x@y"),
        ("email", "no address"),
        ("time_zone", "Mars/Base"),
        ("country", "XX"),
        ("stage", "x"),
    ],
)
async def test_what_is_wrong_in_a_client_is_named(web, field, value):
    await web.register()
    refused = await web("POST", "/api/clients", {"email": "ann@example.com", field: value}, status=422)
    assert field in json.dumps(refused["errors"])


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_file_is_read_as_spreadsheets_write_it(web, delimiter):
    await web.register()
    rows = [
        ["\ufeffEmail", "Name", "Stage"],
        ["ann@example.com", '"Zoë\nMüller"', "Lead"],
        ["bob@example.com", '"5 ""Rose"" Lane"', "UNDER_CONTRACT"],
        ["short@example.com"],
        ["no address", "x", "lead", "more", "than", "there are"],
    ]
    file = "\r\n".join(delimiter.join(row) for row in rows)
    report = await web("POST", "/api/clients/import", {"csv": file})
    assert report["failed"] == [
        {"line": 2, "problems": ["name: line breaks and control characters are not allowed here"]},
        {"line": 6, "problems": ["it has 6 cells, the header 3: quote a cell with a delimiter in it"]},
    ]
    found = await web("GET", "/api/clients")
    assert [(one["email"], one["name"], one["stage"]) for one in found] == [
        ("bob@example.com", '5 "Rose" Lane', "under_contract"),
        ("short@example.com", None, "lead"),
    ]


@pytest.mark.parametrize("bad", ['"Ann" Ash', '"Ann', 'Ann","'])
async def test_a_row_that_is_badly_quoted_fails_alone(web, bad):
    await web.register()
    file = f'email,name\na@example.com,{bad}\nb@example.com,"Bob\nB"\nc@example.com,Cy\nd@example.com,Dan\n'
    report = await web("POST", "/api/clients/import", {"csv": file})
    assert [one["line"] for one in report["failed"]] == [2, 3]
    assert "badly quoted" in report["failed"][0]["problems"][0]
    assert [one["email"] for one in await web("GET", "/api/clients")] == ["c@example.com", "d@example.com"]


@pytest.mark.parametrize(
    "file",
    [
        'sep=;\r\nemail;"last, first"\r\nann@example.com;"Ash, Ann"\r\nnobody;x\r\n',
        '\ufeff"email";"last, first"\nann@example.com;"Ash, Ann";;\n\nnobody;x\n',
        'email\t"last, first, and; more"\nann@example.com\tAsh, Ann\n\nnobody\tx\n',
    ],
)
async def test_the_delimiter_is_that_of_the_header_or_of_its_first_line(web, file):
    await web.register()
    column = "last, first, and; more" if "more" in file else "last, first"
    report = await web("POST", "/api/clients/import", {"csv": file, "mapping": {column: "name"}})
    assert [one["line"] for one in report["failed"]] == [4]
    assert [(one["email"], one["name"]) for one in await web("GET", "/api/clients")] == [
        ("ann@example.com", "Ash, Ann")
    ]


async def test_a_full_file_is_entered_with_its_cadence(web, crm):
    await web.register()
    file = "email\n" + "".join(f"c{number}@example.com\n" for number in range(1000))
    assert (await web("POST", "/api/clients/import", {"csv": file}))["created"] == 1000
    [planned] = await crm.fetch("select count(*) as n, count(distinct client_id) as clients from followups.tasks")
    assert planned == {"n": 5000, "clients": 1000}


async def test_an_agent_enters_that_a_client_unsubscribed_and_takes_it_back(web, crm, mails):
    await web.register(send_mode="automatic")
    client = await web.client()
    path = f"/api/clients/{client['id']}"
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    assert (await web("PATCH", path, {"email_unsubscribed": True}))["email_unsubscribed"]
    assert (await web("PATCH", path, {"email_unsubscribed": False}))["email_unsubscribed"] is False
    await web("PATCH", path, {"email_unsubscribed": True, "notes": "asked by telephone"})
    assert ((await crm.sweep()).sent, mails.mails(9)) == (0, [])
    assert (await web("GET", path))["email_unsubscribed"]
    await crm.execute(
        "insert into followups.suppressions (address, scope, reason) values (%s, 'cadence', 'complaint')",
        client["email"],
    )
    refused = await web("PATCH", path, {"email_unsubscribed": False, "notes": "x"}, status=409)
    assert refused["code"] == "not-yours-to-allow"
    assert (await web("GET", path))["notes"] == "asked by telephone"

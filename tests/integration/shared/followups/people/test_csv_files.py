"""CSV files as spreadsheets and people write them."""

import pytest


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

"""The query language over plain documents."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cosmos.sql.parser import parse
from local.cosmos.sql.run import run
from local.cosmos.sql.syntax import SqlError
from local.cosmos.sql.values import equal, order


def ask(query: str, documents: list | None = None, **parameters) -> list:
    given = {f"@{name}": value for name, value in parameters.items()}
    return [row.value for row in run(parse(query, given), enumerate([{}] if documents is None else documents))]


STONES = [
    {
        "id": str(number),
        "x": "a",
        "n": number,
        "name": f"O'Brien {number}",
        "lines": [{"sku": f"s{number % 3}", "q": number}],
        "when": f"2026-01-{number + 1:02d}T00:00:00Z",
        **({"opt": None} if number % 2 else {}),
    }
    for number in range(20)
]


@pytest.mark.parametrize(
    ("query", "result"),
    [
        (r"SELECT c.id, c['n'] AS num FROM c WHERE c.name = 'O\'Brien 3'", [{"id": "3", "num": 3}]),
        ('SELECT VALUE c.n FROM c WHERE c["name"] = "O\'Brien 3"', [3]),
        ("SELECT VALUE c.n FROM c WHERE c.n BETWEEN 2 AND 4", [2, 3, 4]),
        ("SELECT VALUE c.n FROM c WHERE c.n NOT BETWEEN 2 AND 18", [0, 1, 19]),
        ("SELECT VALUE COUNT(1) FROM c WHERE NOT IS_DEFINED(c.opt)", [10]),
        ("SELECT VALUE COUNT(1) FROM c WHERE IS_NULL(c.opt)", [10]),
        ("SELECT VALUE COUNT(c.opt) FROM c", [10]),
        (
            "SELECT l.sku, SUM(l.q) AS q FROM c JOIN l IN c.lines GROUP BY l.sku",
            [{"sku": "s0", "q": 63}, {"sku": "s1", "q": 70}, {"sku": "s2", "q": 57}],
        ),
        (
            "SELECT LOWER(c.opt) AS opt, 'all' AS what, COUNT(1) AS n FROM c WHERE c.n < 3 GROUP BY LOWER(c.opt)",
            [{"what": "all", "n": 3}],
        ),
        ("SELECT VALUE l.sku FROM l IN c.lines WHERE l.q < 2", ["s0", "s1"]),
        ("SELECT VALUE l FROM c.lines[0] l WHERE l.q = 4", [{"sku": "s1", "q": 4}]),
        ("SELECT VALUE MAX(c.when) FROM c", ["2026-01-20T00:00:00Z"]),
        ("SELECT MIN(c.n) AS low, AVG(c.n) AS middle FROM c", [{"low": 0, "middle": 9.5}]),
        (
            "SELECT c.n ?? -1 AS v, (c.n > 3 ? 'hi' : 'lo') AS w FROM c WHERE c.n IN (3, 4)",
            [{"v": 3, "w": "lo"}, {"v": 4, "w": "hi"}],
        ),
        ("SELECT VALUE {'a': c.n, b: [c.id, c.none]} FROM c WHERE c.n = 1", [{"a": 1, "b": ["1"]}]),
        ("SELECT VALUE ARRAY(SELECT VALUE l.q FROM l IN c.lines) FROM c WHERE c.n = 5", [[5]]),
        ("SELECT VALUE (SELECT VALUE l.q FROM l IN c.lines) FROM c WHERE c.n = 5", [5]),
        ("SELECT VALUE c.n FROM c WHERE EXISTS(SELECT VALUE l FROM l IN c.lines WHERE l.q = 7)", [7]),
        ("SELECT VALUE c.n FROM c WHERE c.name LIKE '%Brien 1_' ORDER BY c.n DESC", list(range(19, 9, -1))),
        ("SELECT VALUE c.n FROM c WHERE c.name NOT LIKE '%1%' AND c.n > 7", [8, 9]),
        (
            "SELECT TOP 2 VALUE c.n FROM c WHERE c.when >= '2026-01-10' AND (c.n % 2) = 0 ORDER BY c.x, c.n DESC",
            [18, 16],
        ),
        ("SELECT DISTINCT c.x FROM c", [{"x": "a"}]),
        ("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 3 LIMIT 2", [3, 4]),
        ("SELECT c.n FROM c -- the first\nWHERE c.n = 0", [{"n": 0}]),
        ("select value s.n from stones as s where s.id = '7'", [7]),
        ("SELECT VALUE root.n FROM root WHERE root.n = 2", [2]),
        ("SELECT c.id, c.n + 1 FROM c WHERE c.n = 1", [{"id": "1", "$2": 2}]),
        ("SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(c.lines, {'sku': 's1'}, true) AND c.n < 5", [1, 4]),
        ("SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(c.lines, {'sku': 's1'})", []),
        ("SELECT VALUE 1", [1]),
    ],
)
def test_a_query(query, result):
    assert ask(query, STONES) == result


def test_a_thousand_alternatives():
    """As the SDK writes them when it reads many items at once."""
    query = "SELECT VALUE c.n FROM c WHERE " + " OR ".join(
        f"(c.id = @p{number} AND c.x = 'a')" for number in range(1000)
    )
    parameters = {f"p{number}": str(number + 17) for number in range(1000)}
    assert ask(query, STONES, **parameters) == [17, 18, 19]


def test_the_whole_document():
    assert ask("SELECT * FROM c WHERE c.id = @id", STONES, id="4") == [STONES[4]]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 = 1.0", True),
        ("1 = '1'", False),
        ("true = 1", False),
        ("1 != '1'", True),
        ("[1, {a: true}] = [1, {a: true}]", True),
        ("[1] = [true]", False),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("null = null", True),
        ("'b' > 'a'", True),
        ("not (1 = 2)", True),
        ("1 = 2 or 3 = 3 and 4 = 5", False),
        ("-2 + 3 * 4", 10),
        ("(-2 + 3) * 4", 4),
        ("7 / 2", 3.5),
        ("-7 % 3", -1),
        ("'a' || 'b'", "ab"),
        ("undefined ?? 5", 5),
        ("null ?? 5", None),
        ("true ? 'y' : 'n'", "y"),
        ("[10, 20][1]", 20),
        ("{a: {b: 1}}.a.b", 1),
        ("undefined in (1)", "undefined"),
        ("undefined = 1", "undefined"),
        ("1 < 'a'", "undefined"),
        ("not 1", "undefined"),
        ("false and undefined", False),
        ("true and undefined", "undefined"),
        ("true or undefined", True),
        ("undefined or false", "undefined"),
        ("1 / 0", "undefined"),
        ("1 + 'a'", "undefined"),
        ("@p.deep[0]", 9),
        ("contains('Hello', 'ELL', true)", True),
        ("contains('Hello', 'ELL')", False),
        ("startswith('abc', 'ab')", True),
        ("endswith('abc', 'bc')", True),
        ("startswith(5, 'ab')", "undefined"),
        ("stringequals('A', 'a', true)", True),
        ("lower('ABC')", "abc"),
        ("length('äb')", 2),
        ("index_of('abcabc', 'c', 3)", 5),
        ("substring('abcdef', 1, 3)", "bcd"),
        ("left('abc', 2)", "ab"),
        ("right('abc', 2)", "bc"),
        ("right('abc', 9)", "abc"),
        ("replace('aXa', 'X', '-')", "a-a"),
        ("concat('a', 'b', 'c')", "abc"),
        ("trim('  a ')", "a"),
        ("reverse('abc')", "cba"),
        ("tostring({a: [1]})", '{"a":[1]}'),
        ("stringtonumber('1.5')", 1.5),
        ("stringtonumber('x')", "undefined"),
        ("regexmatch('abc', '^A', 'i')", True),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("floor(-1.5)", -2),
        ("power(2, 3)", 8),
        ("sqrt(-1)", "undefined"),
        ("array_length([1, 2])", 2),
        ("array_concat([1], [2], [3])", [1, 2, 3]),
        ("array_slice([1, 2, 3, 4], 1, 2)", [2, 3]),
        ("array_contains([1, '1'], '1')", True),
        ("array_contains([true], 1)", False),
        ("setintersect([1, 2, 3], [2, 3, 4])", [2, 3]),
        ("setunion([1, 2], [2, 3])", [1, 2, 3]),
        ("iif(1 = 1, 'a', 'b')", "a"),
        ("is_number(1) and is_string('') and is_bool(false) and is_array([]) and is_object({})", True),
        ("is_primitive(null) and not is_primitive([]) and not is_defined(undefined)", True),
        (r"'tab\t quote\' \u00e4 back\\slash'", "tab\t quote' ä back\\slash"),
        ("'say \"hi\"'", 'say "hi"'),
    ],
)
def test_an_expression(expression, result):
    [row] = ask(f"SELECT {expression} AS v", p={"deep": [9]})
    assert row == ({} if result == "undefined" else {"v": result})
    assert [type(value) for value in row.values()] == ([] if result == "undefined" else [type(result)])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "near ''"),
        ("SELECT", "near 'SELECT'"),
        ("SELECT * FROM c WHERE", "near 'WHERE'"),
        ("SELECT * FROM c WHERE c.n = 1 2", "near '2'"),
        ("SELECT * FROM c WHERE c.order = 1", "near 'order'"),
        ("SELECT * FROM c WHERE (c.n = 1", "near '1'"),
        ("SELECT * FROM c WHERE c.n NOT 5", "near '5'"),
        ("SELECT * FROM c GROUP c.n", "near 'c'"),
        ("SELECT c.n, c.m FROM c GROUP BY c.n", "not contained in either an aggregate"),
        ("SELECT * FROM c GROUP BY c.n", "not contained in either an aggregate"),
        ("SELECT VALUE UPPER(c.m) FROM c GROUP BY LOWER(c.m)", "not contained in either an aggregate"),
        ("SELECT c.n FROM c GROUP BY c.n ORDER BY c.n", "not supported in presence of GROUP BY"),
        ("SELECT COUNT(1) AS n FROM c GROUP BY COUNT(1)", "cannot contain aggregate"),
        ("SELECT SUM(c.n) / COUNT(1) AS n FROM c GROUP BY c.m", "Compositions of aggregates"),
        ("SELECT COUNT(1) AS n FROM c GROUP BY 1", "at least one property reference"),
        ("SELECT * FROM c WHERE c.n = ~1", "invalid token"),
        ("SELECT * FROM c WHERE c.n = 'open", "invalid token"),
        ("SELECT *", "single input set"),
        ("SELECT * FROM c JOIN t IN c.tags", "single input set"),
        ("SELECT VALUE x.n FROM c", "'x' could not be resolved"),
        ("SELECT VALUE NOPE(1)", "'NOPE' is not a recognized"),
        ("SELECT VALUE LOWER()", "LOWER function requires 1 argument"),
        ("SELECT VALUE CONTAINS('a')", "CONTAINS function requires 2 to 3 argument"),
        ("SELECT VALUE COUNT(1, 2) FROM c", "COUNT function requires 1 argument"),
        ("SELECT VALUE @p", "'@p' has no value"),
        ("SELECT TOP 'a' * FROM c", "TOP"),
        ("SELECT * FROM c OFFSET -1 LIMIT 1", "near '-'"),
        ("SELECT VALUE " + "(" * 100 + "1" + ")" * 100, "too deep"),
        ("SELECT VALUE " + "1 + " * 2000 + "1", "too deep"),
        ("INSERT INTO c", "near 'INSERT'"),
    ],
)
def test_a_wrong_query_is_refused(query, text):
    with pytest.raises(SqlError) as refused:
        ask(query, [{}])
    assert text in refused.value.message


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_refused(text):
    for query in (text, f"SELECT VALUE {text} FROM c", f"SELECT * FROM c WHERE {text}"):
        try:
            ask(query, [{"a": 1}])
        except SqlError:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
def test_equality_is_that_of_json(left, right):
    assert equal(left, json.loads(json.dumps(left)))
    assert equal(left, right) == equal(right, left)


@given(JSON, JSON, JSON)
def test_the_order_is_an_order(first, second, third):
    assert order(first, second) == -order(second, first) or order(first, second) * order(second, first) <= 0
    if order(first, second) <= 0 and order(second, third) <= 0:
        assert order(first, third) <= 0


@given(st.lists(JSON, max_size=8))
def test_ordering_sorts_and_keeps_all(values):
    documents = [{"v": value} for value in values]
    ordered = ask("SELECT VALUE c.v FROM c ORDER BY c.v", documents)
    assert sorted(map(json.dumps, ordered)) == sorted(map(json.dumps, values))
    assert all(order(left, right) <= 0 for left, right in pairwise(ordered))
    descending = ask("SELECT VALUE c.v FROM c ORDER BY c.v DESC", documents)
    assert all(order(left, right) >= 0 for left, right in pairwise(descending))


@given(JSON)
def test_a_parameter_is_the_value_it_was_given(value):
    assert ask("SELECT VALUE @v", v=value) == [value]
    assert ask("SELECT VALUE c.v FROM c WHERE c.v = @v", [{"v": value}], v=value) == [value]

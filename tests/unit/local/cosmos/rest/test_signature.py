import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from local.cosmos.errors import CosmosError
from local.cosmos.rest.signature import EMULATOR_KEY, check

DATE = "Thu, 27 Apr 2017 00:51:12 GMT"


def token(method: str, kind: str, link: str, key: str = EMULATOR_KEY, date: str = DATE) -> str:
    text = f"{method}\n{kind}\n{link}\n{date.lower()}\n\n"
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    return quote(f"type=master&ver=1.0&sig={signature}", safe="")


def test_the_example_of_the_documentation():
    key = "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw=="
    authorization = "type%3dmaster%26ver%3d1.0%26sig%3dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d"
    check(authorization, "GET", "/dbs/ToDoList", DATE, key)


@pytest.mark.parametrize(
    ("method", "path", "kind", "link"),
    [
        ("GET", "/", "", ""),
        ("POST", "/dbs", "dbs", ""),
        ("GET", "/dbs/D", "dbs", "dbs/D"),
        ("POST", "/dbs/D/colls", "colls", "dbs/D"),
        ("PUT", "/dbs/D/colls/C", "colls", "dbs/D/colls/C"),
        ("POST", "/dbs/D/colls/C/docs", "docs", "dbs/D/colls/C"),
        ("PATCH", "/dbs/D/colls/C/docs/my id", "docs", "dbs/D/colls/C/docs/my id"),
        ("GET", "/dbs/D/colls/C/docs/docs", "docs", "dbs/D/colls/C/docs/docs"),
        ("GET", "/dbs/D/colls/C/pkranges", "pkranges", "dbs/D/colls/C"),
        ("POST", "/dbs/D/colls/C/operations/partitionkeydelete", "colls", "dbs/D/colls/C"),
    ],
)
def test_each_resource_has_its_own_signature(method, path, kind, link):
    check(token(method.lower(), kind, link), method, path, DATE, EMULATOR_KEY)
    with pytest.raises(CosmosError) as refused:
        check(token(method.lower(), kind, link + "x"), method, path, DATE, EMULATOR_KEY)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "type=master",
        "type=master&ver=1.0&sig=",
        "type=master&ver=2.0&sig=AAAA",
        "type=resource&ver=1.0&sig=AAAA",
        token("get", "dbs", "dbs/D", key=base64.b64encode(b"another").decode()),
        token("get", "dbs", "dbs/D", date="Thu, 27 Apr 2017 00:51:13 GMT"),
        token("delete", "dbs", "dbs/D"),
    ],
)
def test_other_tokens_are_refused(authorization):
    with pytest.raises(CosmosError) as refused:
        check(authorization, "GET", "/dbs/D", DATE, EMULATOR_KEY)
    assert refused.value.status == 401

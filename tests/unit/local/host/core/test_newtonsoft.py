import json

from hypothesis import given
from hypothesis import strategies as st

from local.host.settings.host_json import read_host_json


def test_comments_and_trailing_commas(tmp_path):
    (tmp_path / "host.json").write_text(
        '\ufeff{\n // a comment\n "version": "2.0", /* another */\n "url": "http://x//y", "list": [1, 2,],\n}'
    )
    assert read_host_json(tmp_path, {}).document == {"version": "2.0", "url": "http://x//y", "list": [1, 2]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_plain_json_is_read_as_it_is(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("app")
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "value": value}, ensure_ascii=False))
    assert read_host_json(folder, {}).document["value"] == value

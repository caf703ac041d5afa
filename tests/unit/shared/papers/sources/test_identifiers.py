"""A DOI and an arXiv id are found in whatever people paste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.sources.identifiers import arxiv_id_of, arxiv_id_within, doi_of, doi_within
from shared.papers.sources.table import ColumnMapping, adapter_for


@pytest.mark.parametrize(
    ("given", "doi"),
    [
        ("https://doi.org/10.1103/PhysRevD.76.013009", "10.1103/physrevd.76.013009"),
        ("http://dx.doi.org/10.1103/PhysRevD.76.013009", "10.1103/physrevd.76.013009"),
        ("https://www.doi.org/10.1103/PhysRevD.76.013009/", "10.1103/physrevd.76.013009"),
        ("doi.org/10.1103/PhysRevD.76.013009", "10.1103/physrevd.76.013009"),
        ("https://doi.org/10.1103%2FPhysRevD.76.013009", "10.1103/physrevd.76.013009"),
        ("https://journals.aps.org/prd/abstract/10.1103/PhysRevD.76.013009", "10.1103/physrevd.76.013009"),
        ("https://dl.acm.org/doi/10.1145/1?casa_token=x", "10.1145/1"),
        ("DOI: 10.1103/PhysRevD.76.013009.", "10.1103/physrevd.76.013009"),
        ("doi 10.1000/xyz", "10.1000/xyz"),
        ("doi:10.1000/xyz.", "10.1000/xyz"),
        ("(10.1103/PhysRevD.76.013009)", "10.1103/physrevd.76.013009"),
        ("<https://doi.org/10.1000/x>", "10.1000/x"),
        ("10.1016/S0370-2693(97)00123-4", "10.1016/s0370-2693(97)00123-4"),
        (
            "10.1002/(SICI)1097(199806)49:8<693::AID-ASI4>3.0.CO;2-O",
            "10.1002/(sici)1097(199806)49:8<693::aid-asi4>3.0.co;2-o",
        ),
        ("10.1000/a 10.1000/b", "10.1000/a"),
        ("10.1000/a\n10.1000/b", "10.1000/a"),
        ("\u200b10.1000/a\ufeff", "10.1000/a"),
        ("11.1000/a", None),
        ("10.1000/...", None),
        ("10.1000/" + "x" * 251, None),
        ("", None),
        (5, None),
    ],
)
def test_a_doi_is_found_in_its_spellings(given, doi):
    assert doi_of(given) == doi


@pytest.mark.parametrize(
    ("given", "arxiv_id"),
    [
        ("0704.0001", "0704.0001"),
        ("arXiv:2101.00001v3", "2101.00001"),
        ("arXiv: 2101.00001.", "2101.00001"),
        ("https://arxiv.org/pdf/2101.00001v3.pdf", "2101.00001"),
        ("arxiv.org/abs/0704.0001", "0704.0001"),
        ("https://www.arxiv.org/abs/0704.0001", "0704.0001"),
        ("http://export.arxiv.org/abs/0704.0001", "0704.0001"),
        ("https://arxiv.org/html/0704.0001v1", "0704.0001"),
        ("https://arxiv.org/html/0704.0001v1#S2", "0704.0001"),
        ("https://arxiv.org/abs/0704.0001?context=hep-ph", "0704.0001"),
        ("https://ar5iv.labs.arxiv.org/html/0704.0001", "0704.0001"),
        ("10.48550/arXiv.0704.0001", "0704.0001"),
        ("https://doi.org/10.48550/arXiv.0704.0001v2", "0704.0001"),
        ("https://doi.org/10.48550/arXiv.math/0309136", "math/0309136"),
        ("arXiv:0704.0001 [hep-ph]", "0704.0001"),
        ("arXiv:0704.0001v1 [hep-ph] 2 Apr 2007", "0704.0001"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("HEP-TH/9901001", "hep-th/9901001"),
        ("math.GT/0309136v1", "math/0309136"),
        ("https://arxiv.org/abs/math.GT/0309136", "math/0309136"),
        ("704.1", None),
        ("10.1103/PhysRevD.76.013009", None),
        (None, None),
    ],
)
def test_an_arxiv_id_is_found_in_its_spellings(given, arxiv_id):
    assert arxiv_id_of(given) == arxiv_id


@pytest.mark.parametrize(
    "pasted",
    [
        "arXiv preprint arXiv:0704.0001",
        "arXiv preprint arXiv:0704.0001 (2007)",
        "arXiv:0704.0001 (hep-ph)",
        "oai:arXiv.org:0704.0001",
        "\u20180704.0001\u2019",
        "https://huggingface.co/papers/0704.0001",
        "https://www.semanticscholar.org/arxiv/0704.0001",
        "https://scirate.com/arxiv/0704.0001",
        "https://ui.adsabs.harvard.edu/abs/arXiv:0704.0001/abstract",
        "http://xxx.lanl.gov/abs/0704.0001v2",
        "abs/0704.0001",
        "Balazs et al., doi:10.48550/arXiv.0704.0001.",
        "0704.0001",
    ],
)
def test_an_arxiv_id_is_found_in_what_is_pasted(pasted):
    assert arxiv_id_within(pasted) == "0704.0001"


@pytest.mark.parametrize(
    "pasted",
    [
        "doi: https://doi.org/10.1103/PhysRevD.76.013009",
        "urn:doi:10.1103/PhysRevD.76.013009",
        "info:doi/10.1103/PhysRevD.76.013009",
        "https://dx.doi.org:443/10.1103/PhysRevD.76.013009?x=1",
        "Phys. Rev. D 76, 013009, doi:10.1103/PhysRevD.76.013009.",
        "10.1103/PhysRevD.76.013009",
    ],
)
def test_a_doi_is_found_in_what_is_pasted(pasted):
    assert doi_within(pasted) == "10.1103/physrevd.76.013009"


@pytest.mark.parametrize(
    "pasted",
    [
        "\uff10\uff17\uff10\uff14.\uff10\uff10\uff10\uff11",
        "version 0704.0001 of it",
        "https://doi.org/10.1234/0704.0001",
        "arXiv: physics",
        "abs/x",
        "arXiv:0704.000123",
    ],
)
def test_what_is_no_arxiv_id_is_not_taken_for_one(pasted):
    assert arxiv_id_within(pasted) is None


def test_a_link_of_another_site_gives_a_stored_paper_no_arxiv_id():
    assert arxiv_id_of("https://example.org/2020.12345") is None


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_what_is_found_can_be_stored_and_is_found_again(value):
    for written in (value, f"10.1000/{value}", f"https://doi.org/10.1000%2F{value}"):
        if doi := doi_of(written):
            assert "\0" not in doi
            doi.encode()
            assert doi_of(doi) == doi


def test_a_table_that_names_a_paper_by_arxivs_doi_or_address_gives_its_arxiv_id():
    adapter = adapter_for(ColumnMapping(source_id="id", title="title", doi="doi", link="link"))
    by_doi = adapter.paper({"id": "1", "title": "T", "doi": "10.48550/arXiv.0704.0001"})
    by_link = adapter.paper({"id": "1", "title": "T", "link": "https://arxiv.org/abs/0704.0001v2"})
    assert by_doi.arxiv_id == by_link.arxiv_id == "0704.0001"

"""What regions are called."""

from collections import Counter

from shared.papers.maps.layout import naming


def test_terms_are_words_that_tell_and_pairs_of_them():
    found = Counter(naming.terms("The dark matter halo of $M_{31}$ galaxies", "We propose a new halo model."))
    assert found["dark matter"] == 2
    assert found["halo"] == 3
    assert "the" not in found
    assert "we" not in found
    assert not any("31" in term for term in found)
    assert "halo galaxies" not in found, "a formula stands between"


def test_a_region_is_called_by_what_it_has_and_others_have_not():
    counts = [
        Counter({"galaxy": 40, "redshift": 30, "dust": 25, "data": 50}),
        Counter({"gene": 40, "protein": 30, "cell": 20, "data": 50}),
    ]
    first, second = naming.distinctive(counts)
    assert naming.name_of(first[:3]) == "galaxy, redshift, dust"
    assert second[0] == "gene"
    assert first.index("data") == 3


def test_no_term_repeats_a_better_one_in_the_plural_or_within_a_pair():
    [words] = naming.distinctive([Counter({"dark matter": 30, "matter": 30, "dark": 29, "halo": 10, "halos": 9})])
    assert words == ["dark matter", "halo"]


def test_a_region_without_words_is_unnamed():
    assert naming.name_of(naming.distinctive([Counter()])[0]) == "unnamed"

import hashlib

import pytest

from storepulse.replay.rows import COLUMNS
from tests.unit.data.samples import DATA, FILES, claims, facts, read


def test_every_sample_has_its_committed_checksum() -> None:
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    written = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert written == {name: hashlib.sha256((DATA / name).read_bytes()).hexdigest() for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_every_fact_that_the_documentation_states_about_a_sample_is_true(name: str) -> None:
    stated = list(claims(name))
    computed = facts(name)
    assert len(stated) > 15
    assert [(fact, value) for fact, value in stated if computed.get(fact) != value] == []


def test_the_columns_of_the_whole_sample_are_those_that_events_are_made_of() -> None:
    assert tuple(read("rees46_multicategory_2019-10-01.csv.gz")[0]) == COLUMNS

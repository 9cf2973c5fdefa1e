import hashlib

import pytest

from tests.unit.data.samples import DATA, FILES, claims, facts


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

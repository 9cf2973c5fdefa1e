from pathlib import Path

import pytest

from tests.docs.documents import ROOT, anchors, documents, links


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_relative_link_leads_to_a_file_and_its_heading(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), f"{document} links to {link}"
        assert not anchor or anchor in anchors(target.resolve().relative_to(ROOT)), f"{document} links to {link}"


def test_the_repository_says_how_to_start_and_under_which_terms() -> None:
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "NOTICE"):
        assert (ROOT / name).read_text(encoding="utf-8").strip()
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")

from pathlib import Path

import pytest

from tests.docs import documents as reader
from tests.docs.commands import proof_of

PAGE = """# A page: with *marks*

```sh
# a comment
make help  # shows what there is
make \\
  check
```

```console
$ make demo
3 alerts
```

```python
import os
```

Then `make -k check` or `make lock UPGRADE=--upgrade`. See [the code](../code.py "title"), <img src="a.png"> and
[the web](https://example.org), not `[this](no)`.
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_commands_are_the_lines_of_sh_blocks_and_the_prompts_of_console_blocks(page: Path) -> None:
    assert list(reader.commands(page)) == ["make help", "make check", "make demo"]


def test_targets_in_prose_are_found_with_their_options(page: Path) -> None:
    assert reader.make_targets_named(page) == {"check", "lock"}


def test_links_are_relative_and_outside_of_code(page: Path) -> None:
    assert list(reader.links(page)) == ["../code.py", "a.png"]


def test_a_heading_is_an_anchor_without_its_marks(page: Path) -> None:
    assert reader.anchors(page) == {"a-page-with-marks"}


def test_a_command_that_no_row_knows_has_no_proof() -> None:
    assert proof_of("rm -rf build") is None
    assert proof_of("make help && rm -rf build") is None

from pathlib import Path

import pytest

from forked import begin_program, errors

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.usefixtures("demo_made")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(path: Path, tmp_path: Path) -> None:
    folder, log = tmp_path / "here", tmp_path / "said"
    folder.mkdir()
    program = begin_program(path, folder, log)
    program.join()
    assert program.exitcode == 0, errors(log).read_text()
    assert log.read_text().strip()
    assert not list(folder.iterdir())

"""Progress reaches the terminal, a log and a file."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import pytest

from masquerade.errors import FileError
from masquerade.progress import ConsoleProgress, JSONLines, Progress

TRAINING = [
    Progress("compile", 0, 0, 0.0),
    Progress("compile", 1, 1, 4.0, finished=True),
    Progress("train", 1, 10, 2.0, {"generator": 0.5, "critic": -1.25}),
    Progress("train", 2, 10, 4.0, {"generator": 0.4, "critic": -1.0}, score=0.875),
    Progress("train", 10, 10, 20.0, {"generator": 0.1, "critic": -0.5}, score=0.9, finished=True),
]


class Terminal(io.StringIO):
    """Text memory that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_few_plain_lines() -> None:
    out = io.StringIO()
    with ConsoleProgress(file=out) as show:
        for progress in TRAINING:
            show(progress)
    assert out.getvalue().splitlines() == [
        "compile",
        "compile: 1/1, 4 s",
        "train: epoch 1/10, generator 0.500, critic -1.250, 2 s, 18 s left",
        "train: epoch 10/10, generator 0.100, critic -0.500, score 0.900, 20 s",
    ]


def test_a_log_gets_a_line_whenever_the_interval_has_passed() -> None:
    out = io.StringIO()
    show = ConsoleProgress(file=out, interval_seconds=0)
    for progress in TRAINING:
        show(progress)
    assert len(out.getvalue().splitlines()) == len(TRAINING)


def test_a_terminal_shows_the_stage_before_the_first_epoch_and_then_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    out = Terminal()
    with ConsoleProgress(file=out) as show:
        show(TRAINING[0])
        assert "compile" in out.getvalue()
        for progress in TRAINING[1:4]:
            show(progress)
        show.close()
        assert "epoch 2/10" in out.getvalue()
        assert "generator 0.400, critic -1.000, score 0.875" in out.getvalue()
        assert "16 s left" in out.getvalue()


def test_standard_output_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with ConsoleProgress() as show:
        show(TRAINING[0])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "compile\n"


def test_json_lines_are_read_by_programs(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    path.write_text("old\n")
    write = JSONLines(path)
    for progress in [*TRAINING, Progress("train", 3, 10, 6.0, {"critic": float("nan")}, score=float("inf"))]:
        copy.deepcopy(write)(progress)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 6
    assert lines[3] == {
        "stage": "train",
        "done": 2,
        "total": 10,
        "seconds": 4.0,
        "losses": {"generator": 0.4, "critic": -1.0},
        "score": 0.875,
        "finished": False,
    }
    assert lines[5]["losses"] == {"critic": None}
    assert lines[5]["score"] is None


def test_json_lines_say_at_once_when_they_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        JSONLines(tmp_path / "nowhere" / "training.jsonl")

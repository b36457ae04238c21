"""What docs/fault-reports.md says has its tests, and each report stands there once."""

from __future__ import annotations

import re

import pytest

from tests.named_tests import ROOT, is_there, named_in, rows_of

PAGE = (ROOT / "docs" / "fault-reports.md").read_text(encoding="utf-8")
NAMED = sorted(set(named_in(PAGE)))
ROWS = rows_of(PAGE)[1:]
REPORT = re.compile(r"[\w.-]+/[\w.-]+#\d+")


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[f"{file}-{test}" for file, test in NAMED])
def test_a_test_that_keeps_a_fault_away_is_there(file: str, test: str) -> None:
    assert is_there(file, test)


def test_every_row_has_its_reports_and_its_tests() -> None:
    assert len(ROWS) >= 35
    for row in ROWS:
        _, reports, wrong, instead, tests, _ = row.split("|")
        assert all(REPORT.fullmatch(one.strip()) for one in reports.split(",")), row
        assert 0 < len(wrong.split()) <= 12, row
        assert 0 < len(instead.split()) <= 15, row
        assert named_in(tests), row


def test_no_report_stands_there_twice() -> None:
    reports = REPORT.findall(PAGE)
    assert len(reports) == len(set(reports))

"""What docs/features.md names is there: settings, commands and tests."""

from __future__ import annotations

import re

import pytest

from mailtray.cli import cli
from mailtray.core.settings import FORMS
from tests.named_tests import ROOT, is_there, named_in, rows_of

PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = rows_of(PAGE)[1:]


@pytest.mark.parametrize(("file", "test"), sorted(set(named_in(PAGE))))
def test_what_shows_a_feature_is_there(file: str, test: str) -> None:
    assert is_there(file, test)


def test_no_feature_is_without_a_test() -> None:
    for row in ROWS:
        _, _what, _how, tests, _ = row.split("|")
        assert named_in(tests), row


def test_every_setting_a_person_wishes_by_is_a_feature() -> None:
    hows = " ".join(row.split("|")[2] for row in ROWS)
    named = set(re.findall(r"[a-z_]+", hows))
    plain = {"client_id", "interval_s", "notifier", "tray", "log_level", "ca_bundle", "proxy"}
    assert set(FORMS) - named == plain


def test_the_commands_it_names_exist() -> None:
    hows = " ".join(row.split("|")[2] for row in ROWS)
    assert set(re.findall(r"`mailtray ([a-z-]+)", hows)) <= set(cli.commands)

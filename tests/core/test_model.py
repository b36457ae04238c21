"""What the values do by themselves."""

from __future__ import annotations

import pytest

from mailtray.core.model import MenuItem


@pytest.mark.parametrize(
    ("label", "mnemonic", "marked"),
    [
        pytest.param("Check now", "C", "_Check now", id="the first letter"),
        pytest.param("Ask my administrator…", "k", "As_k my administrator…", id="within"),
        pytest.param("R&D_notes", "", "R&D__notes", id="text alone"),
        pytest.param("a_b quit", "q", "a__b _quit", id="text before it"),
        pytest.param("Open_", "O", "_Open__", id="text after it"),
        pytest.param("", "", "", id="nothing"),
    ],
)
def test_a_label_marks_its_mnemonic(label: str, mnemonic: str, marked: str) -> None:
    assert MenuItem(label, mnemonic=mnemonic).marked("_") == marked

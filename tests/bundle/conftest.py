"""The bundle that ``MAILTRAY_BUNDLE`` names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import keyring_session, simulator
from tests.e2e.program import BUNDLE, MAILTRAY

__all__ = ["keyring_session", "simulator"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.bundle)
            if not BUNDLE:
                reason = "needs a bundle: make test-bundle"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def inside() -> Path:
    """The folder in which a bundle of many files keeps them."""
    folder = Path(MAILTRAY[0]).parent / "_internal"
    if not folder.is_dir():
        pytest.skip("a bundle of one file has no folder")
    return folder

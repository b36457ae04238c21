"""The exception tree is what its docstring says, and a person can read it."""

from __future__ import annotations

import re

import pytest

from mailtray.core import errors
from mailtray.core.errors import (
    ConfigError,
    MailtrayError,
    ServiceUnavailable,
    SignInRequired,
    Throttled,
    TokenRejected,
)
from mailtray.core.model import AccessToken, Account, AccountId, SignedIn

_BRANCH = re.compile(r"^ {4}(?P<indent>[│├└─ ]*)(?P<name>\w+)(?:\([^)]*\))?(?P<star> \*)?")


def _documented() -> dict[str, tuple[str, bool]]:
    """Return name -> (parent's name, whether starred) of the docstring's tree."""
    found: dict[str, tuple[str, bool]] = {}
    path: list[str] = ["Exception"]
    tree = (errors.__doc__ or "").split("::")[1].split("* transient")[0]
    for line in filter(None, tree.splitlines()):
        branch = _BRANCH.match(line)
        if branch is None:
            continue
        depth = len(branch["indent"]) // 3 + 1
        path[depth:] = [branch["name"]]
        found[branch["name"]] = (path[depth - 1], branch["star"] is not None)
    return found


def _held() -> dict[str, tuple[str, bool]]:
    """Return the same of the classes that the module holds."""
    return {
        name: (one.__base__.__name__, one.transient)
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, MailtrayError) and one.__base__
    }


def test_the_tree_is_what_the_docstring_says() -> None:
    documented = _documented()
    assert len(documented) > 20
    assert documented == _held()


@pytest.mark.parametrize("name", sorted(_held()))
def test_every_class_says_what_it_means(name: str) -> None:
    assert re.match(r"[A-Z].*[.;]", getattr(errors, name).__doc__ or "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(MailtrayError("Lost", "Look again."), "Lost. Look again.", id="with a hint"),
        pytest.param(MailtrayError("Lost"), "Lost", id="without"),
        pytest.param(
            ConfigError(origin="settings.toml", key="poll.interval_s", problem="not a number"),
            "settings.toml: poll.interval_s: not a number",
            id="a key in a file",
        ),
        pytest.param(
            ConfigError(origin="settings.toml", key="", problem="not TOML"),
            "settings.toml: not TOML",
            id="a whole file",
        ),
    ],
)
def test_words(error: MailtrayError, words: str) -> None:
    assert str(error) == words


def test_an_error_carries_what_mends_it() -> None:
    assert SignInRequired("Out", claims="{}", code=50076).claims == "{}"
    assert TokenRejected("Refused", claims="{}", request_id="r1").request_id == "r1"
    assert Throttled("Busy", retry_after_s=7.0).retry_after_s == 7.0
    assert ServiceUnavailable("Down").retry_after_s is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(AccessToken("s3cret"), id="an access token"),
        pytest.param(SignedIn(Account(AccountId("a"), "a@example.test"), "s3cret"), id="a cache"),
    ],
)
def test_a_secret_is_not_in_its_repr(value: AccessToken | SignedIn) -> None:
    assert "s3cret" not in repr(value)

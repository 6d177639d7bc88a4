from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

import pytest

from ocm_geo import settings
from ocm_geo.errors import QueryError, SourceError
from ocm_geo.sources.base import resolve_source

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(settings.API_KEY_VARIABLE, raising=False)
    before = settings.current()
    yield
    settings.configure(**{name: getattr(before, name) for name in before.__dataclass_fields__})


def test_a_block_changes_only_itself() -> None:
    settings.configure(contact="a@example.org")
    with settings.using(contact="b@example.org", cache_hours=1):
        assert settings.current().contact == "b@example.org"
        with settings.using(cache_hours=2):
            assert settings.current().contact == "b@example.org"
    assert settings.current().contact == "a@example.org"
    assert settings.current().cache_hours == 24


def test_a_block_is_not_seen_by_other_threads() -> None:
    seen: list[str | None] = []
    with settings.using(contact="here"):
        thread = threading.Thread(target=lambda: seen.append(settings.current().contact))
        thread.start()
        thread.join()
    assert seen == [settings.current().contact]


def test_the_key_is_not_shown_and_not_pickled() -> None:
    settings.configure(api_key="secret-key-1")
    assert "secret" not in repr(settings.current())
    assert b"secret" not in pickle.dumps(settings.current())
    assert settings.current().key() == "secret-key-1"


def test_the_key_comes_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.API_KEY_VARIABLE, "from-outside")
    assert settings.current().key() == "from-outside"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"sauce": 1}, "sauce"), ({"cache_hours": -1}, "0 or more"), ({"cache_hours": "1"}, "'1'")],
)
def test_wrong_settings_say_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        settings.configure(**changes)


def test_without_a_source_the_error_says_the_three_ways_out() -> None:
    with pytest.raises(SourceError, match=r"OCM_API_KEY(?s:.)*Mirror\.build(?s:.)*sample\(\)"):
        resolve_source()


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(QueryError, match="no source"):
        resolve_source("sample")

from __future__ import annotations

import datetime as dt
import pickle
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from ocm_geo import settings
from ocm_geo.errors import QueryError, SourceError
from ocm_geo.sources.base import resolve_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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


class Own:
    """A source of one's own."""

    def fetch(self, query: ocm.StationQuery) -> Any:
        return query.answer(ocm.sample().fetch(ocm.StationQuery()))

    def has_any(self, query: ocm.StationQuery) -> bool:
        return len(self.fetch(query)) > 0

    def reference_data(self) -> ocm.ReferenceData:
        return ocm.sample().reference_data()


NOT_SOURCES: dict[str, tuple[Callable[[], Any], str]] = {
    "a class": (lambda: ocm.OpenChargeMap, "the class OpenChargeMap: call it"),
    "a class of one's own": (lambda: Own, r"call it, Own\(...\)"),
    "a function": (lambda: ocm.sample, r"call it, sample\(\)"),
    "a table": (
        lambda: ocm.stations(source="sample"),
        r"a GeoDataFrame of 1420 rows: a table.*TableSource",
    ),
    "a number": (lambda: 42, "the int 42"),
    "a list": (lambda: [ocm.sample()] * 99, "the list .Mirror"),
    "half a source": (lambda: SimpleNamespace(fetch=1, has_any=1), r"no reference_data\(\)"),
}
MISSING = {
    "smaple": "did you mean 'sample'",
    "API": "did you mean 'api'",
    "Amsterdam": "no such folder.*'sample' or 'api'",
}


@pytest.mark.parametrize("kind", NOT_SOURCES)
def test_what_is_not_a_source_is_refused_wherever_it_is_given(kind: str) -> None:
    make, words = NOT_SOURCES[kind]
    value: Any = make()
    with ocm.using(source="sample"):
        calls: tuple[Callable[[], Any], ...] = (
            lambda: ocm.stations(source=value),
            lambda: ocm.reference_data(value),
            lambda: ocm.configure(source=value),
            lambda: ocm.using(source=value).__enter__(),
            lambda: ocm.StationExplorer(value),
        )
        for call in calls:
            with pytest.raises(QueryError, match=words) as error:
                call()
            assert len(str(error.value)) < 400
        assert ocm.configure().source is not value


@pytest.mark.parametrize("name", MISSING)
def test_a_name_that_leads_to_no_source_says_why(name: str) -> None:
    for call in (lambda: ocm.stations(source=name), lambda: ocm.reference_data(name)):
        with pytest.raises(ocm.MirrorMissing, match=MISSING[name]):
            call()
    with pytest.raises(QueryError, match="is not the path of a file"):
        ocm.stations(source="")


def test_a_file_or_any_folder_is_not_a_mirror(tmp_path: Path) -> None:
    data = tmp_path / "sites.json"
    data.write_text("[]")
    with pytest.raises(ocm.MirrorMissing, match=r"is a file.*Mirror\.build"):
        ocm.configure(source=data)
    with pytest.raises(ocm.MirrorMissing, match="this folder is not a mirror"):
        ocm.stations(source=tmp_path)


def test_a_source_by_name_path_or_of_ones_own_answers_alike() -> None:
    path = ocm.sample().path
    want = ocm.stations(source=ocm.sample(), min_power_kw=150)
    for source in ("sample", path, str(path), Own()):
        assert ocm.stations(source=source, min_power_kw=150).equals(want)
        with ocm.using(source=source):
            assert ocm.stations(min_power_kw=150).equals(want)
    assert isinstance(Own(), ocm.Source)


def test_a_path_is_opened_once() -> None:
    path = ocm.sample().path
    assert resolve_source(path) is resolve_source(str(path))


def test_the_live_api_by_name_needs_its_key_when_it_is_asked() -> None:
    with ocm.using(source="api"):
        with pytest.raises(SourceError, match="OCM_API_KEY"):
            resolve_source()
        with ocm.using(api_key="k"):
            assert isinstance(resolve_source(), ocm.OpenChargeMap)
    with pytest.raises(SourceError, match="OCM_API_KEY"):
        ocm.stations(source="api")


def test_a_study_takes_a_source_by_name_in_python_too(tmp_path: Path) -> None:
    config = {"title": "t", "area": {"country": "BE"}}
    result = ocm.run_study(config, tmp_path / "study", source="sample")
    assert len(result.stations) == len(ocm.stations_from_country("BE", source="sample"))


WRONG: dict[str, list[Any]] = {
    "cache_hours": [-1, float("nan"), None, "24", True, [24], float("inf")],
    "cache_dir": [None, 5, "", b"folder"],
    "api_key": [5, b"secret-key-1", ["secret-key-1"]],
    "contact": [5, ["a@example.org"]],
    "source": [5, [], "nowhere at all", dict],
}


@pytest.mark.parametrize(("name", "value"), [(n, value) for n in WRONG for value in WRONG[n]])
def test_wrong_settings_are_refused_at_once_by_name(name: str, value: Any) -> None:
    before = settings.current()
    with pytest.raises(ocm.OCMError, match=name) as caught:
        settings.configure(**{name: value})
    assert "secret" not in str(caught.value)
    assert settings.current() == before
    with pytest.raises(ocm.OCMError, match=name), settings.using(**{name: value}):
        pass


def test_hours_may_be_a_timedelta() -> None:
    assert settings.configure(cache_hours=dt.timedelta(days=2)).cache_hours == 48
    assert settings.configure(api_key="").api_key is None

from __future__ import annotations

import inspect
import pickle

import pytest

from ocm_geo import errors

CLASSES = [getattr(errors, name) for name in errors.__all__]
EXCEPTIONS = [c for c in CLASSES if issubclass(c, errors.OCMError)]


def made(kind: type[errors.OCMError]) -> errors.OCMError:
    needed = [
        name
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ][1:]
    return kind(*(needed or ["what happened"]))


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_every_error_survives_pickling(kind: type[errors.OCMError]) -> None:
    error = made(kind)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_the_tree_is_the_promised_one() -> None:
    assert issubclass(errors.QueryError, ValueError)
    assert issubclass(errors.RouteError, ValueError)
    assert issubclass(errors.MissingDependency, ImportError)
    assert issubclass(errors.PagingError, errors.SourceError)
    assert issubclass(errors.MirrorCorrupt, errors.MirrorError)
    assert issubclass(errors.StaleData, errors.OCMWarning)


def test_attributes_have_defaults() -> None:
    assert errors.RateLimited("slow down").retry_after_s is None
    assert errors.ServerError("down").status is None
    assert "pip install 'ocm_geo[routing]'" in str(errors.MissingDependency("valhalla", "routing"))


@pytest.mark.parametrize(
    "sign", ["\x1b", "\x07", "\r", "\x9b", "\u202e", "\u2066", "\ud800", "\x00"]
)
def test_a_message_has_no_signs_that_a_terminal_obeys(sign: str) -> None:
    text = f"naïve \u4e2d \U0001f50c\ta{sign}b\nc"
    clean = text.replace(sign, "?")
    told = [errors.QueryError(text), errors.ServerError(text, 500), errors.MirrorCorrupt(text)]
    again = pickle.loads(pickle.dumps(told[0]))  # noqa: S301 - our own
    assert {str(one) for one in (*told, again, errors.StaleData(text))} == {clean}

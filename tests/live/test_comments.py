"""Writing to a server: what is sent, once, and what never leaves."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import ocm_geo as ocm
from tests.live.stand_in import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.stand_in import StandIn

    Ask = Callable[..., tuple[StandIn, ocm.OpenChargeMap]]

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJVc2VySUQiOjF9.c2lnbmF0dXJl"  # noqa: S105 - invented
PASSWORD = "correct horse battery"  # noqa: S105 - invented
SIGNED_IN = json.dumps({"Data": {"access_token": TOKEN}, "Metadata": {"StatusCode": 200}}).encode()
CHECK_IN: dict[str, Any] = {
    "comment_type": "General Comment",
    "checkin_status": "Charged Successfully",
}


@pytest.fixture
def signed_in(ask: Ask) -> tuple[StandIn, ocm.OpenChargeMap]:
    server, api = ask([])
    server.replies = [(200, SIGNED_IN)]
    api.authenticate("a@example.org", PASSWORD)
    return server, api


def test_without_send_nothing_leaves(ask: Ask) -> None:
    server, api = ask([])
    shown = api.submit_comment(12345, comment_type=10, checkin_status=0, comment=" Free cake! ")
    assert (shown.sent, server.posts, server.seen) == (False, [], [])
    assert shown.body == {
        "ChargePointID": 12345,
        "CommentTypeID": 10,
        "Comment": "Free cake!",
        "CheckinStatusTypeID": 0,
    }
    assert "send=True" in str(shown)
    assert "Free cake!" in str(shown)


def test_every_field_is_sent_as_the_document_has_it(
    signed_in: tuple[StandIn, ocm.OpenChargeMap],
) -> None:
    server, api = signed_in
    sent = api.submit_comment(
        12345,
        comment_type="fault report (notice to users and operator)",
        checkin_status=20,
        comment="Défekt \N{ELECTRIC PLUG}\n",
        user_name="A. Nickname",
        rating=5,
        related_url="http://awesomevplace.com",
        send=True,
    )
    assert sent.sent
    (sign_in, _, secret), (path, headers, body) = server.posts
    assert sign_in == "/v3/profile/authenticate"
    assert json.loads(secret) == {"EmailAddress": "a@example.org", "Password": PASSWORD}
    assert path == "/v3/?action=comment_submission&format=json"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["X-API-Key"] == KEY
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "ChargePointID": 12345,
        "CommentTypeID": 1000,
        "UserName": "A. Nickname",
        "Comment": "Défekt \N{ELECTRIC PLUG}",
        "Rating": 5,
        "RelatedURL": "http://awesomevplace.com",
        "CheckinStatusTypeID": 20,
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ocm_id": 0}, "ocm_id"),
        ({"ocm_id": "OCM-5"}, "ocm_id"),
        ({"comment_type": 11}, "comment type 11"),
        ({"comment_type": "Rant"}, "Rant"),
        ({"checkin_status": 999}, "check-in status 999"),
        ({"checkin_status": None}, "None"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": True}, "rating"),
        ({"comment": "x" * 4001}, "4,001"),
        ({"comment": "  "}, "comment"),
        ({"comment": 7}, "comment"),
        ({"comment": "a\0b"}, "control"),
        ({"comment": "\ud800"}, "control"),
        ({"user_name": "x" * 101}, "user_name"),
        ({"related_url": "javascript:alert(1)"}, "related_url"),
        ({"related_url": "http://[x"}, "related_url"),
        ({"related_url": "http://a b.org"}, "related_url"),
        ({"related_url": "https://a.org/" + "x" * 500}, "related_url"),
    ],
)
def test_what_cannot_be_meant_is_not_sent(
    signed_in: tuple[StandIn, ocm.OpenChargeMap], wrong: dict[str, Any], words: str
) -> None:
    server, api = signed_in
    fields: dict[str, Any] = {"ocm_id": 5, **CHECK_IN, "send": True, **wrong}
    with pytest.raises(ocm.QueryError, match=words):
        api.submit_comment(fields.pop("ocm_id"), **fields)
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        ((401, b""), ocm.ApiKeyError, "authenticate"),
        ((403, b"Invalid API key."), ocm.ApiKeyError, "authenticate"),
        ((400, b'{"status":"error","description":"Failed"}'), ocm.ServerError, "such a station"),
        ((200, b"Error: Validation Failed"), ocm.ServerError, "Validation Failed"),
        ((200, b""), ocm.ServerError, "did not confirm"),
        ((200, b"[]"), ocm.ServerError, "did not confirm"),
        ((302, b""), ocm.ServerError, "302"),
        ((429, b""), ocm.RateLimited, "not saved"),
        ((502, b"Upstream"), ocm.ServerError, "look at the page"),
        (None, ocm.ConnectionFailed, "may have arrived"),
    ],
)
def test_a_comment_is_sent_once_whatever_comes_back(
    signed_in: tuple[StandIn, ocm.OpenChargeMap], reply: Any, kind: type[Exception], words: str
) -> None:
    server, api = signed_in
    server.replies = [reply]
    with pytest.raises(kind, match=words):
        api.submit_comment(5, **CHECK_IN, send=True)
    assert len(server.posts) == 2


def test_the_same_comment_is_not_sent_again_by_a_cell_run_twice(
    signed_in: tuple[StandIn, ocm.OpenChargeMap],
) -> None:
    server, api = signed_in
    server.replies = [(400, b"{}"), None]
    with pytest.raises(ocm.ServerError):
        api.submit_comment(5, **CHECK_IN, send=True)
    with pytest.raises(ocm.ConnectionFailed):
        api.submit_comment(5, **CHECK_IN, send=True)
    with pytest.raises(ocm.QueryError, match="sent already"):
        api.submit_comment(5, **CHECK_IN, send=True)
    assert api.submit_comment(5, **CHECK_IN, rating=3, send=True).sent
    assert len(server.posts) == 4


def test_an_account_is_needed(ask: Ask) -> None:
    server, _ = ask([])
    with ocm.using(api_key=None):
        api = ocm.OpenChargeMap(base_url=server.url)
    with pytest.raises(ocm.ApiKeyError, match="authenticate"):
        api.submit_comment(5, **CHECK_IN, send=True)
    assert not server.posts


@pytest.mark.parametrize(
    "reply",
    [(401, PASSWORD.encode()), (200, b""), (200, b'{"Data":{}}'), (200, b"[1]"), (500, b"x")],
)
def test_a_failed_sign_in_shows_no_password(ask: Ask, reply: tuple[int, bytes]) -> None:
    server, api = ask([])
    server.replies = [reply]
    with pytest.raises(ocm.SourceError) as caught:
        api.authenticate("a@example.org", PASSWORD)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert len(server.posts) == 1
    assert not api.transport._token


def test_the_password_goes_nowhere_unencrypted() -> None:
    with pytest.warns(ocm.SuspectInput):
        api = ocm.OpenChargeMap(KEY, base_url="http://ocm.invalid/v3")
    with pytest.raises(ocm.QueryError, match="https"):
        api.authenticate("a@example.org", PASSWORD)
    with pytest.raises(ocm.QueryError, match="password") as caught:
        api.authenticate("a@example.org", 12345)  # type: ignore[arg-type]
    assert "12345" not in str(caught.value)


def test_the_token_stays_in_memory(
    signed_in: tuple[StandIn, ocm.OpenChargeMap], caplog: pytest.LogCaptureFixture
) -> None:
    server, api = signed_in
    server.replies = [(400, f"you sent {TOKEN} and {KEY}".encode())]
    with caplog.at_level(logging.DEBUG), pytest.raises(ocm.ServerError) as caught:
        api.submit_comment(5, **CHECK_IN, send=True)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.excerpt + caplog.text
    told += repr(api) + repr(api.transport) + str(api.submit_comment(5, **CHECK_IN))
    told += repr(api.transport.plain_session.__dict__)
    pickled = pickle.dumps(api)
    for secret in (TOKEN, KEY, PASSWORD):
        assert secret not in told
        assert secret.encode() not in pickled
    # Questions need no token, and get none.
    api.request("poi", chargepointid=5)
    assert all("Authorization" not in headers for headers in server.headers)

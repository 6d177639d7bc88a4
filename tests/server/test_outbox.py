"""Comments are never lost, never sent on by themselves, and never sent twice."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import ocm_geo as ocm
from ocm_geo.cli import app
from ocm_geo.server.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Asker

COMMENT = {
    "ChargePointID": 1007,
    "CommentTypeID": 10,
    "UserName": "A. Nickname",
    "Comment": "This place is awesome",
    "Rating": 5,
    "RelatedURL": "http://example.org",
    "CheckinStatusTypeID": 0,
}
SUBMISSION = "?action=comment_submission&format=json"


@pytest.fixture
def box(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def server(serve: Callable[..., Asker], box: Outbox) -> Asker:
    return serve(outbox=box.folder)


class Api:
    """Takes comments, or fails."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.sent: list[dict[str, Any]] = []

    def submit_comment(self, ocm_id: int, **fields: Any) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append({"ocm_id": ocm_id, **fields})


@pytest.mark.parametrize("path", ["comment", "comment/", SUBMISSION])
def test_a_comment_is_kept(server: Asker, box: Outbox, path: str) -> None:
    answer = server.post(path, json=COMMENT)
    assert answer.status_code == 200
    assert answer.json() == {"status": "OK", "description": "OK"}
    (letter,) = box.list_letters()
    assert (letter.state, letter.comment) == ("waiting", COMMENT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ChargePointID": None}, "ChargePointID is missing"),
        ({"CheckinStatusTypeID": None}, "CheckinStatusTypeID is missing"),
        ({"ChargePointID": 2**70}, "32 bits"),
        ({"ChargePointID": "1007"}, "whole number"),
        ({"CommentTypeID": 11}, "CommentTypeID 11"),
        ({"CheckinStatusTypeID": 1}, "CheckinStatusTypeID 1"),
        ({"Rating": 6}, "from 1 to 5"),
        ({"Rating": True}, "whole number"),
        ({"Comment": "x" * 4001}, "4000"),
        ({"UserName": 5}, "text"),
    ],
)
def test_a_comment_that_is_none(
    server: Asker, box: Outbox, change: dict[str, Any], words: str
) -> None:
    answer = server.post("comment", json={**COMMENT, **change})
    assert answer.status_code == 400
    assert words in answer.json()["description"]
    assert box.list_letters() == []


def test_a_comment_on_no_station(server: Asker, box: Outbox) -> None:
    answer = server.post("comment", json={**COMMENT, "ChargePointID": 999})
    assert answer.status_code == 404
    assert "no station 999" in answer.json()["description"]
    assert box.list_letters() == []


def test_as_open_charge_map_takes_comments(serve: Callable[..., Asker], box: Outbox) -> None:
    server = serve(manner="ocm", outbox=box.folder)
    assert server.post("comment", json=COMMENT).status_code == 401
    signed = {"Authorization": "Bearer a.b.c"}
    broken = server.post("comment", data=b"{", headers=signed)
    assert (broken.status_code, broken.text) == (200, "Error: Validation Failed")
    unknown = server.post("comment", json={"ChargePointID": 5}, headers=signed)
    assert (unknown.status_code, unknown.json()["description"]) == (400, "Failed")
    least = {"chargepointid": 1007, "UserCommentTypeID": 50, "rating": 9}
    assert server.post(SUBMISSION, json=least, headers=signed).status_code == 200
    html = server.post("?action=comment_submission&format=x", json=COMMENT, headers=signed)
    assert html.text == "Error: Validation Failed"
    (letter,) = box.list_letters()
    assert letter.comment == {"ChargePointID": 1007, "CommentTypeID": 50, "Rating": 9}


def test_no_comment_is_lost_among_many(server: Asker, box: Outbox) -> None:
    def submit(number: int) -> None:
        for i in range(10):
            comment = {**COMMENT, "Comment": f"{number}-{i}"}
            assert server.post("comment", json=comment).status_code == 200

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = {letter.comment["Comment"] for letter in box.list_letters()}
    assert texts == {f"{number}-{i}" for number in range(6) for i in range(10)}


def test_an_outbox_that_cannot_be_written_is_told(
    serve: Callable[..., Asker], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    answer = serve(outbox=tmp_path / "file").post("comment", json=COMMENT)
    assert answer.status_code == 503
    assert "outbox" in answer.json()["description"]


def test_sending(box: Outbox) -> None:
    for _ in range(2):
        box.add(COMMENT)
    api = Api()
    report = box.send(api)
    assert (report.n_sent, report.refused, report.uncertain) == (2, {}, {})
    assert api.sent[0] == {
        "ocm_id": 1007,
        "comment_type": 10,
        "checkin_status": 0,
        "comment": "This place is awesome",
        "user_name": "A. Nickname",
        "rating": 5,
        "related_url": "http://example.org",
        "send": True,
    }
    assert [letter.state for letter in box.list_letters()] == ["sent", "sent"]
    assert box.send(api).n_sent == 0
    assert len(api.sent) == 2


def test_from_mirror_to_open_charge_map(
    serve: Callable[..., Asker], box: Outbox, tmp_path: Path
) -> None:
    """Our client signs in, submits to one server, and the outbox sends on to another."""
    ours, theirs = serve(outbox=box.folder), serve(manner="ocm", outbox=tmp_path / "theirs")
    with ocm.using(cache_dir=tmp_path / "cache"):
        near = ocm.OpenChargeMap(base_url=ours.url, min_interval_s=0)
        near.authenticate("a@example.org", "secret")
        sent = near.submit_comment(1007, comment_type=10, checkin_status=0, rating=5, send=True)
        assert sent.sent
        far = ocm.OpenChargeMap(base_url=theirs.url, min_interval_s=0)
        assert list(box.send(far).refused) != []
        far.authenticate("a@example.org", "secret")
        assert box.send(far).n_sent == 1
    (letter,) = Outbox(tmp_path / "theirs").list_letters()
    assert letter.comment["ChargePointID"] == 1007
    assert letter.comment["Rating"] == 5


def test_what_may_have_arrived_is_not_sent_again(box: Outbox) -> None:
    for _ in range(3):
        box.add(COMMENT)
    api = Api(None, ocm.ConnectionFailed("no answer"))
    report = box.send(api)
    assert (report.n_sent, len(report.uncertain)) == (1, 1)
    assert [letter.state for letter in box.list_letters()] == ["sent", "sending", "waiting"]
    assert box.send(api).n_sent == 1
    assert [letter.state for letter in box.list_letters()] == ["sent", "sending", "sent"]


def test_what_was_refused_waits(box: Outbox) -> None:
    box.add(COMMENT)
    report = box.send(Api(ocm.QueryError("no such station")))
    assert list(report.refused.values()) == ["no such station"]
    assert [letter.state for letter in box.list_letters()] == ["waiting"]


def test_a_kill_while_sending_leaves_a_comment_aside(box: Outbox) -> None:
    box.add(COMMENT)
    with pytest.raises(KeyboardInterrupt):
        box.send(Api(KeyboardInterrupt()))  # type: ignore[arg-type] # no Exception, on purpose
    assert [letter.state for letter in box.list_letters()] == ["sending"]
    assert box.send(Api()).n_sent == 0


def test_a_damaged_comment_is_told(box: Outbox) -> None:
    name = box.add(COMMENT)
    (box.folder / "waiting" / f"{name}.json").write_text("{")
    with pytest.raises(ocm.MirrorError, match=name):
        box.list_letters()


def test_the_commands(box: Outbox, mirror: ocm.Mirror) -> None:
    box.add({**COMMENT, "Comment": "red \x1b[31m alert"})
    command = ["mirror", "outbox", "list", str(mirror.path), "--outbox", str(box.folder)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "waiting: station 1007" in result.output
    assert "\x1b" not in result.output


def test_the_command_signs_in_and_sends(
    serve: Callable[..., Asker], mirror: ocm.Mirror, box: Outbox, tmp_path: Path
) -> None:
    box.add(COMMENT)
    theirs = serve(manner="ocm", outbox=tmp_path / "theirs")
    command = ["mirror", "outbox", "send", str(mirror.path), "--outbox", str(box.folder)]
    command += ["--base-url", theirs.url]
    runner = CliRunner()
    assert "was refused" in runner.invoke(app, command).output
    result = runner.invoke(app, [*command, "--email", "a@example.org"], input="secret\n")
    assert (result.exit_code, "1 comments sent" in result.output) == (0, True)
    assert "secret" not in result.output
    assert len(Outbox(tmp_path / "theirs").list_letters()) == 1


def test_a_login_gives_a_token_and_keeps_no_password(server: Asker, box: Outbox) -> None:
    login = {"EmailAddress": "a@example.org", "Password": "secret"}
    answer = server.post("profile/authenticate", json=login)
    document = answer.json()
    assert len(document["Data"]["access_token"].split(".")) == 3
    assert document["Metadata"]["StatusCode"] == 200
    assert "secret" not in answer.text
    assert server.post("profile/authenticate", json={"EmailAddress": "a"}).status_code == 401
    assert not box.folder.exists()
    assert json.dumps(document)

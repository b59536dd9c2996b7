"""Whoever changes the log in the database is found out."""

# ruff: noqa: S608 - the statements are put together from constants of this file

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from handrail import cli
from handrail.agent.audit.anchor import AnchorFile
from handrail.agent.audit.chain import GENESIS, Link, sealed
from handrail.agent.audit.report import AuditReport
from handrail.agent.audit.verify import Problem
from handrail.agent.store.anchoring import anchor_now
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.sqlstore import StoreOptions
from handrail.commands.audit import audit
from tests.unit.store.building import ANNA, SITE, START, conversation, event, exchange, opened

TURNS = 3
EVENTS = 3 * TURNS


@pytest.fixture
async def names(tmp_path: Path) -> list[str]:
    """The names of three conversations of three turns each, in a log that is whole and anchored."""
    async with opened(f"sqlite:///{tmp_path / 'handrail.db'}", options=StoreOptions(anchor_every=4)) as store:
        found = []
        for _ in range(3):
            name = await conversation(store)
            for number in range(TURNS):
                await exchange(store, name, f"k{number}")
            found.append(name)
        return found


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of the log."""
    return f"sqlite:///{tmp_path / 'handrail.db'}"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """Runs statements behind the store's back."""

    def execute(*statements: str, **parameters: str) -> None:
        with closing(sqlite3.connect(tmp_path / "handrail.db")) as connection:
            for statement in statements:
                connection.execute(statement, parameters)
            connection.commit()

    return execute


def report(url: str, kept: AnchorFile | None = None) -> AuditReport:
    """What verification says."""
    log = AuditLog(url)
    try:
        return log.verify(kept)
    finally:
        log.close()


def found(url: str, kept: AnchorFile | None = None) -> set[tuple[Problem, int | None]]:
    """The kinds and places of what is wrong."""
    return {(broken.problem, broken.seq) for broken in report(url, kept).breaks}


def test_a_whole_log_is_whole(url: str, names: list[str]) -> None:
    """Three chains, all anchored, nothing wrong."""
    whole = report(url)
    assert whole.breaks == ()
    assert (whole.chains, whole.events) == (len(names), EVENTS * len(names))
    assert whole.anchors > 1


IN_FIRST = "WHERE conversation_id = :name"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (f"UPDATE audit_events SET kind = 'handoff' {IN_FIRST} AND seq = 4", {(Problem.CHANGED, 4)}),
        (f"UPDATE audit_events SET at = at + 1 {IN_FIRST} AND seq = 4", {(Problem.CHANGED, 4)}),
        (f"UPDATE audit_events SET turn_id = 'x' {IN_FIRST} AND seq = 4", {(Problem.CHANGED, 4)}),
        (f"UPDATE audit_payloads SET payload = '{{}}' {IN_FIRST} AND seq = 4", {(Problem.PAYLOAD_CHANGED, 4)}),
        (f"UPDATE audit_payloads SET salt = '00' {IN_FIRST} AND seq = 4", {(Problem.PAYLOAD_CHANGED, 4)}),
        (f"DELETE FROM audit_payloads {IN_FIRST} AND seq = 4", {(Problem.PAYLOAD_MISSING, 4)}),
        (
            f"DELETE FROM audit_events {IN_FIRST} AND seq = 4",
            {(Problem.GAP, 5), (Problem.PAYLOAD_STRAY, 4)},
        ),
        (
            f"DELETE FROM audit_events {IN_FIRST} AND seq = 1",
            {(Problem.GAP, 2), (Problem.PAYLOAD_STRAY, 1)},
        ),
    ],
)
def test_changes_and_deletions_are_named(
    url: str, names: list[str], run: Callable[..., None], statement: str, expected: set[tuple[Problem, int | None]]
) -> None:
    """Each change is reported where it is, once, whatever stands after it."""
    run(statement, name=names[0])
    assert found(url) - {(Problem.ANCHOR_MISMATCH, 4)} == expected


def test_reordering_is_found(url: str, names: list[str], run: Callable[..., None]) -> None:
    """Two events that trade places fit nowhere."""
    run(
        f"UPDATE audit_events SET seq = 99 {IN_FIRST} AND seq = 4",
        f"UPDATE audit_events SET seq = 4 {IN_FIRST} AND seq = 5",
        f"UPDATE audit_events SET seq = 5 {IN_FIRST} AND seq = 99",
        name=names[0],
    )
    assert {(Problem.CHANGED, 4), (Problem.CHANGED, 5)} <= found(url)


def test_a_cut_tail_is_found(url: str, names: list[str], run: Callable[..., None]) -> None:
    """The recorded end of the chain and the newest anchor both remember more."""
    run(
        f"DELETE FROM audit_events {IN_FIRST} AND seq > 6",
        f"DELETE FROM audit_payloads {IN_FIRST} AND seq > 6",
        name=names[0],
    )
    assert found(url) == {(Problem.TAIL_CUT, 6), (Problem.ANCHOR_TAIL, EVENTS)}


def test_a_cut_tail_with_a_mended_end_is_found_by_the_anchor(
    url: str, names: list[str], run: Callable[..., None]
) -> None:
    """Whoever also moves the recorded end back is still short of what an anchor names."""
    run(
        f"DELETE FROM audit_events {IN_FIRST} AND seq > 6",
        f"DELETE FROM audit_payloads {IN_FIRST} AND seq > 6",
        "UPDATE chains SET last_seq = 6, last_hash = "
        f"(SELECT hash FROM audit_events {IN_FIRST} AND seq = 6) {IN_FIRST}",
        name=names[0],
    )
    assert (Problem.ANCHOR_TAIL, EVENTS) in found(url)


FORGET = tuple(f"DELETE FROM {table} {IN_FIRST}" for table in ("audit_events", "audit_payloads", "chains"))


def test_a_lost_conversation_is_found(url: str, names: list[str], run: Callable[..., None]) -> None:
    """A conversation that is gone with its whole chain is named by the anchor."""
    run(*FORGET, name=names[0])
    broken = report(url).breaks
    assert {(b.conversation_id, b.problem) for b in broken} == {(names[0], Problem.CHAIN_MISSING)}


def test_deleted_anchors_are_found(url: str, names: list[str], run: Callable[..., None]) -> None:
    """Anchors form a chain of their own, and chains know that they were anchored."""
    assert names
    run("DELETE FROM anchors WHERE number = 1")
    assert (Problem.ANCHOR_MISSING, None) in found(url)
    run("DELETE FROM anchors", "DELETE FROM anchored_heads")
    assert (Problem.ANCHOR_MISSING, EVENTS) in found(url)


def test_changed_anchors_are_found(url: str, names: list[str], run: Callable[..., None]) -> None:
    """An anchor that names something else than it did no longer fits its hash."""
    assert names
    run("UPDATE anchored_heads SET seq = seq - 1 WHERE number = 1")
    assert (Problem.ANCHOR_CHANGED, None) in found(url)


def test_an_exported_anchor_convicts_a_perfect_forgery(
    url: str, names: list[str], run: Callable[..., None], tmp_path: Path
) -> None:
    """Who rewrites a chain with fitting hashes, its end and every anchor is found by the anchor kept elsewhere."""
    kept = anchor_now(url, START)
    assert report(url, kept).breaks == ()
    forge(tmp_path / "handrail.db", names[0])
    run("DELETE FROM anchors", "DELETE FROM anchored_heads", "UPDATE chains SET anchored = 0")
    anchor_now(url, START)
    assert report(url).breaks == ()
    assert (Problem.ANCHOR_MISMATCH, EVENTS) in found(url, kept)
    run(*FORGET, name=names[1])
    assert Problem.CHAIN_MISSING in {problem for problem, _ in found(url, kept)}


def forge(path: Path, name: str) -> None:
    """Change the first event of a chain and recompute everything after it."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT site, conversation_id, seq, kind, turn_id, at, payload_digest, previous_hash, hash "
            f"FROM audit_events {IN_FIRST} ORDER BY seq",
            {"name": name},
        ).fetchall()
        previous = GENESIS
        for site, conversation_id, seq, kind, turn_id, at, digest, _, _ in rows:
            link = sealed(Link(site, conversation_id, seq, kind, turn_id, at + (seq == 1), digest, previous, ""))
            connection.execute(
                f"UPDATE audit_events SET at = :at, previous_hash = :p, hash = :h {IN_FIRST} AND seq = :seq",
                {"at": link.at, "p": link.previous_hash, "h": link.hash, "name": name, "seq": seq},
            )
            previous = link.hash
        connection.execute(f"UPDATE chains SET last_hash = :h {IN_FIRST}", {"h": previous, "name": name})
        connection.commit()


async def test_erasure_is_no_tampering_and_hides_none(url: str, names: list[str], run: Callable[..., None]) -> None:
    """Erased payloads are reported as erased; what goes missing afterwards is reported as missing."""
    async with opened(url) as store:
        assert await store.erase_customer(SITE, ANNA) == len(names)
        whole = report(url)
        assert whole.breaks == ()
        assert whole.erased == EVENTS * len(names)
        await store.record(SITE, None, [event("", action="freeze")])
    run("DELETE FROM audit_payloads WHERE conversation_id = '@site'")
    assert found(url) == {(Problem.PAYLOAD_MISSING, 1)}


def test_the_command_says_what_is_wrong(url: str, names: list[str], run: Callable[..., None], tmp_path: Path) -> None:
    """Exit code 0 for a whole log, 1 for a broken one, with site, conversation, event and meaning."""
    kept = str(tmp_path / "anchors.json")
    terminal = CliRunner()
    assert terminal.invoke(audit, ["anchor", "--database", url, "--out", kept]).exit_code == 0
    whole = terminal.invoke(audit, ["verify", "--database", url, "--anchor", kept])
    assert (whole.exit_code, "Whole" in whole.output) == (0, True)
    run(f"UPDATE audit_events SET at = 0 {IN_FIRST} AND seq = 2", name=names[0])
    broken = terminal.invoke(audit, ["verify", "--database", url])
    assert broken.exit_code == 1
    assert f"site {SITE}, conversation {names[0]}, event 2" in broken.output
    assert "changed or moved" in broken.output
    machine = terminal.invoke(audit, ["verify", "--database", url, "--json"])
    content = json.loads(machine.output)
    assert (machine.exit_code, content["whole"], content["breaks"][0]["problem"]) == (1, False, "changed")


@pytest.mark.parametrize("content", [None, "no anchors", "{}"])
def test_a_file_without_anchors_cannot_be_read(url: str, names: list[str], tmp_path: Path, content: str | None) -> None:
    """A missing or wrong file is an error of use, never a healthy report."""
    assert names
    kept = tmp_path / "anchors.json"
    if content is not None:
        kept.write_text(content)
    result = CliRunner().invoke(audit, ["verify", "--database", url, "--anchor", str(kept)])
    assert "not an anchor file" in str(result.exception)


def test_exit_codes_tell_broken_from_unreadable(
    url: str, names: list[str], run: Callable[..., None], tmp_path: Path
) -> None:
    """A script can tell a whole log (0), a broken one (1) and one that cannot be read (2)."""

    def code(*arguments: str) -> int:
        return cli.run(lambda: audit.main(["verify", *arguments], prog_name="audit", standalone_mode=False))

    assert code("--database", url) == 0
    assert code("--database", f"sqlite:///{tmp_path / 'none.db'}") == 2
    assert code("--database", url, "--anchor", str(tmp_path / "none.json")) == 2
    run(f"DELETE FROM audit_events {IN_FIRST} AND seq = 4", name=names[0])
    assert code("--database", url) == 1


def test_a_changed_anchor_file_is_told_from_a_changed_log(url: str, names: list[str]) -> None:
    """Damage to the kept file is reported as such."""
    assert names
    kept = anchor_now(url, START)
    exported = kept.anchors[0]
    bent = exported.model_copy(update={"heads": exported.heads[1:]})
    (broken,) = report(url, AnchorFile(anchors=(bent,))).breaks
    assert (broken.problem, broken.source) == (Problem.ANCHOR_CHANGED, "anchor file")

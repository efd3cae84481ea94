"""S3 loses replies, or is busy, while a run publishes: it succeeds, or fails in one line and a later run succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import published
import pytest
from publish_kills import ENTRY, SEEDS, Trials
from pyspark.sql import SparkSession

from servers.fixtures import S3
from servers.proxy import NO_REPLY, UNAVAILABLE, Fault, Request, Rule, every
from traintable.errors import TraintableError
from traintable.storage import s3 as storage

FAULTS: dict[str, Callable[[], Rule]] = {
    "the reply to the commit": lambda: first("PUT", ENTRY, NO_REPLY),
    "no commit is taken at first, and each other reply of the lease": lambda: either(
        first("PUT", ENTRY, UNAVAILABLE), every(2, NO_REPLY, method="PUT", path="/t_lease/")
    ),
    "each third request is not answered, or finds the server busy": lambda: every(
        3, NO_REPLY, UNAVAILABLE, method="PUT", path="/t"
    ),
}
ALONE: dict[str, Callable[[], Rule]] = {  # what is put together above
    "no commit is taken at first": lambda: first("PUT", ENTRY, UNAVAILABLE),
    "each third reply": lambda: every(3, NO_REPLY, method="PUT", path="/t"),
    "busy at each third request": lambda: every(3, UNAVAILABLE, method="PUT", path="/t"),
    "each other reply of the lease": lambda: every(2, NO_REPLY, method="PUT", path="/t_lease/"),
}
SLOW = pytest.mark.slow
FATAL: dict[str, tuple[Callable[[], Rule], bool]] = {  # with whether the version is there
    "all replies to the commit": (lambda: every(1, NO_REPLY, method="PUT", path=ENTRY), True),
    "no commit is ever taken": (lambda: every(1, UNAVAILABLE, method="PUT", path=ENTRY), False),
    "all replies of the lease": (lambda: every(1, NO_REPLY, method="PUT", path="/t_lease/"), False),
    "no part is ever taken": (lambda: every(1, UNAVAILABLE, method="PUT", path="/t/split="), False),
}


def first(method: str, path: str, fault: Fault) -> Rule:
    """The rule that the first of these requests meets a fault."""
    met = list[Request]()

    def rule(request: Request) -> Fault | None:
        if request.method != method or path not in request.path or met:
            return None
        met.append(request)
        return fault

    return rule


def either(*rules: Rule) -> Rule:
    """The rule that a request meets the fault of the first rule that has one for it."""
    return lambda request: next((fault for rule in rules if (fault := rule(request))), None)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, s3: S3) -> Trials:
    made = Trials(tmp_path_factory.mktemp("lost"), f"s3a://{s3.new_bucket()}/t", spark, s3)
    made.prepare()
    return made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A client that gives up after two attempts."""
    monkeypatch.setattr(storage, "ATTEMPTS", 2)
    storage._client.cache_clear()
    yield
    storage._client.cache_clear()


def assert_one_more(trials: Trials, before: list[int]) -> None:
    """There is one version more, and it has the rows of a calm run."""
    seed = SEEDS[len(before) % len(SEEDS)]
    assert published.versions(trials.table) == [*before, len(before)]
    published.assert_sound(trials.table)
    assert published.rows(trials.table) == trials.expected[seed]


@pytest.mark.parametrize("name", [*FAULTS, *(pytest.param(name, marks=SLOW) for name in ALONE)])
def test_what_can_be_asked_again_is(trials: Trials, s3: S3, name: str) -> None:
    before, seed = published.versions(trials.table), trials.next_seed
    with s3.proxy.obeying((FAULTS | ALONE)[name]()) as requests:
        outcome = trials.calm_run(trials.table, seed)
    n_met = sum(request.fault is not None for request in requests)
    print(f"\n{name}: {n_met} of {len(requests)} requests met a fault, {outcome.status}")
    assert n_met
    assert (outcome.status, outcome.version) == ("published", len(before))
    assert_one_more(trials, before)
    assert trials.calm_run(trials.table, seed).status == "unchanged"


@pytest.mark.parametrize("name", [next(iter(FATAL)), *(pytest.param(name, marks=SLOW) for name in [*FATAL][1:])])
def test_what_can_not_be_known_fails_in_one_line(trials: Trials, s3: S3, impatient: None, name: str) -> None:
    before, seed = published.versions(trials.table), trials.next_seed
    rule, is_there = FATAL[name]
    with s3.proxy.obeying(rule()), pytest.raises(TraintableError) as caught:
        trials.calm_run(trials.table, seed)
    message = str(caught.value)
    print(f"\n{name}: {message}")
    assert len(message.splitlines()) == 1
    assert len(message) < 600
    assert trials.table.removesuffix("/t") in message
    assert len(published.versions(trials.table)) == len(before) + is_there
    outcome = trials.calm_run(trials.table, seed)
    assert outcome.status == ("unchanged" if is_there else "published")
    assert_one_more(trials, before)

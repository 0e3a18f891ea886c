"""The conserved sum: what a tree has used, whoever of it has ended meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from floydtop.sources.usage import Count, Look, Member, spent

ROOT, WORKER, GRANDCHILD = (10, 100), (11, 110), (12, 120)


def look(*rows: tuple[Member, Member | None, float, float]) -> Look:
    """A look from rows of member, parent, own and waited-for amount."""
    counts = {member: Count(own + waited, waited) for member, _, own, waited in rows}
    return Look(counts, {member: parent for member, parent, _, _ in rows})


def test_work_of_the_living_adds_up() -> None:
    before = look((ROOT, None, 1.0, 0.0), (WORKER, ROOT, 2.0, 0.0))
    after = look((ROOT, None, 1.5, 0.0), (WORKER, ROOT, 4.0, 0.0))
    assert spent(before, after, since=150) == (2.5, 0.0)


def test_child_that_was_waited_for_counts_once() -> None:
    before = look((ROOT, None, 1.0, 0.0), (WORKER, ROOT, 2.0, 0.0))
    after = look((ROOT, None, 1.0, 3.0))
    assert spent(before, after, since=150) == (1.0, 0.0)


def test_child_never_seen_counts_through_its_parent() -> None:
    assert spent(look((ROOT, None, 1.0, 0.0)), look((ROOT, None, 1.0, 0.5)), since=150) == (0.5, 0.0)


def test_grandchild_is_inherited_through_a_parent_that_ended_too() -> None:
    before = look((ROOT, None, 0.0, 0.0), (WORKER, ROOT, 1.0, 0.0), (GRANDCHILD, WORKER, 2.0, 0.0))
    assert spent(before, look((ROOT, None, 0.0, 4.0)), since=150) == (1.0, 0.0)


def test_child_whose_time_was_dropped_is_lost_and_takes_nothing_from_others() -> None:
    before = look((ROOT, None, 1.0, 0.0), (WORKER, ROOT, 2.0, 0.0))
    assert spent(before, look((ROOT, None, 1.5, 0.0)), since=150) == (0.5, 2.0)


def test_orphan_that_ended_is_lost() -> None:
    before = look((ROOT, None, 1.0, 0.0), (WORKER, None, 2.0, 0.0))
    assert spent(before, look((ROOT, None, 1.5, 7.0)), since=150) == (7.5, 2.0)


def test_child_born_since_counts_from_its_birth() -> None:
    after = look((ROOT, None, 1.0, 0.0), ((13, 160), ROOT, 0.75, 0.0))
    assert spent(look((ROOT, None, 1.0, 0.0)), after, since=150) == (0.75, 0.0)


def test_old_process_found_late_brings_no_past_along() -> None:
    after = look((ROOT, None, 1.0, 0.0), ((13, 140), ROOT, 500.0, 0.0))
    assert spent(look((ROOT, None, 1.0, 0.0)), after, since=150) == (0.0, 0.0)


def test_stranger_with_a_known_pid_is_a_new_process() -> None:
    before = look((ROOT, None, 1.0, 0.0), ((13, 140), ROOT, 3.0, 0.0))
    after = look((ROOT, None, 1.0, 3.0), ((13, 160), ROOT, 0.25, 0.0))
    assert spent(before, after, since=150) == (0.25, 0.0)


amounts = st.floats(0, 1e6)
looks = st.dictionaries(
    st.tuples(st.integers(1, 6), st.integers(0, 3)),
    st.tuples(st.integers(1, 6), amounts, amounts),
    max_size=6,
)


@given(looks, looks)
def test_use_is_never_negative(
    one: dict[Member, tuple[int, float, float]], other: dict[Member, tuple[int, float, float]]
) -> None:
    def build(rows: dict[Member, tuple[int, float, float]]) -> Look:
        by_pid = {member[0]: member for member in rows}
        # A parent is always the elder: no circles.
        return look(
            *(
                (m, by_pid.get(parent) if parent < m[0] else None, own, waited)
                for m, (parent, own, waited) in rows.items()
            )
        )

    used, lost = spent(build(one), build(other), since=2)
    assert used >= 0
    assert lost >= 0

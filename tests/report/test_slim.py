"""Does a class fit into memory, with all that its index needs?"""

from autograder.report.slim import slim
from tests.gradebook.made import record, source


def test_slim_keeps_outcomes_and_points_once_and_no_words() -> None:
    records = [record(source(f"s{n}", f"x = {n}"), 10.0 if n % 2 else 4.0) for n in range(6)]
    assert records[0].questions[0].checks[0].message
    slimmed = slim(iter(records))
    assert [(r.student, r.points, r.questions[0].points) for r in slimmed] == [
        (r.student, r.points, r.questions[0].points) for r in records
    ]
    assert [r.questions[0].checks[0].outcome for r in slimmed] == [r.questions[0].checks[0].outcome for r in records]
    assert {r.questions[0].checks[0].message for r in slimmed} == {""}
    assert len({id(r.questions[0]) for r in slimmed}) == 2

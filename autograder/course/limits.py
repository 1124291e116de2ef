"""What may a jail use in which some questions of an assignment are asked?"""

from collections.abc import Iterable

from autograder.course.load import Assignment, Question
from autograder.sandbox.limits import Limits


def limits_of(assignment: Assignment, questions: Iterable[Question]) -> Limits:
    """Time for the cells as the assignment says; memory as the hungriest of the questions does."""
    return Limits(
        cell_cpu_s=assignment.limits.cell_cpu_s,
        load_cpu_s=assignment.limits.load_cpu_s,
        memory_mib=max(question.memory_mib for question in questions),
    )

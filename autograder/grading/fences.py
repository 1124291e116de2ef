"""What does a question forbid inside a library that it has, and how is a worker told?

See `sandbox/worker_fence.py` for what a fence is worth, and docs/isolation.md for what a wall is.
"""

import importlib.util
from collections.abc import Iterable
from dataclasses import replace

from autograder.course.errors import CourseError
from autograder.course.load import Assignment, Question
from autograder.sandbox.worker_fence import FENCE, is_found
from autograder.values.asking import Answer, Ask, Program


def must_be_there(assignment: Assignment) -> None:
    """CourseError where a question forbids what is not there: a typing mistake would forbid nothing."""
    for question in assignment.questions:
        for path in question.forbidden:
            library = path.partition(".")[0]
            if importlib.util.find_spec(library) is not None and not is_found(path):
                raise CourseError(
                    f"assignment {assignment.id}: question {question.id}: forbidden: {library} has no {path!r}: "
                    "correct it, or take it out"
                )


def words(assignment: Assignment) -> str:
    """All that is forbidden, for a record's key: other fences are another grading. "" where there are none."""
    return " ".join(f"{each.id}:{path}" for each in assignment.questions for path in sorted(each.forbidden))


def ask(question: Question, names: Iterable[str], *, always: bool) -> Ask | None:
    """What to ask first in every process of a question; None where there is nothing to forbid.

    always: ask all the same, as a process may have served another question, which forbade something.
    """
    if not question.forbidden and not always:
        return None
    program = Program()
    result = program.call(program.get(FENCE), sorted(question.forbidden), sorted(names))
    return program.ask(FENCE, result)


def named(answer: Answer, question: Question) -> Answer:
    """The answer, with the forbidden thing that it tells of in the words of assignment.toml."""
    if answer.status != "forbidden":
        return answer
    name = f"{answer.detail.get('name', '')}."
    for path in question.forbidden:
        if name.startswith(f"{path}."):
            return replace(answer, detail={**answer.detail, "fence": path})
    return answer

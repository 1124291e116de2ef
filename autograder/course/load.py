"""How are a course and its assignments read from their folder?"""

import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from autograder.course.errors import CourseError, listed, nearest
from autograder.course.policy import Policy
from autograder.course.schema import AssignmentFile, CourseFile, Limits, Question, Strict, valid_keys
from autograder.sandbox.accelerator import PROCESSOR

__all__ = ["Assignment", "Course", "Limits", "Question", "assignment_ids", "load_assignment", "load_course"]

COURSE_FILE = "course.toml"
ASSIGNMENT_FILE = "assignment.toml"
_ASSIGNMENTS = f"assignments/*/{ASSIGNMENT_FILE}"
RESERVED = frozenset(  # the other columns of grades.csv
    {"student", "state", "points", "max_points", "automatic_points", "automatic_max_points"}
    | {"manual_state", "manual_max_points"}
)
_OF_TOPICS = frozenset(
    {"topic", "environment", "cpu_s", "memory_mib", "weights", "scoring", "groups", "cost_factor", "memory_factor"}
    | {"uses", "forbidden", "device"}
)  # keys of no manual question
_Document = TypeVar("_Document", bound=Strict)


@dataclass(frozen=True)
class Course:
    """A course folder, its `course.toml` read and checked.

    environments: names of packages by the environment's name.
    key_file: where the key is that seeds hidden inputs; it need not exist yet.
    policy: how records become scores. gradebook: the URL of its database, "" where it has none.
    """

    title: str
    environments: Mapping[str, tuple[str, ...]]
    key_file: Path
    dir: Path
    policy: Policy = field(default_factory=Policy)
    gradebook: str = ""


@dataclass(frozen=True)
class Assignment:
    """One assignment, its `assignment.toml` read and checked. `id` is the name of its folder.

    questions: those with a topic, which are graded here. manual: those that a person grades; their
    points are in no sum of ours.
    """

    id: str
    title: str
    due: datetime | None
    questions: tuple[Question, ...]
    limits: Limits
    dir: Path
    manual: tuple[Question, ...] = ()

    @property
    def max_points(self) -> float:
        return sum(question.points for question in self.questions)

    @property
    def manual_max_points(self) -> float:
        return sum(question.points for question in self.manual)


def load_course(directory: Path | str) -> Course:
    """Read `course.toml` of a course folder; CourseError says what is wrong with it."""
    folder = Path(directory).absolute()
    path = folder / COURSE_FILE
    if not path.is_file():
        raise CourseError(
            f"{directory} is not a course: it has no {COURSE_FILE}; "
            "point --course at a course folder, or make one with `autograder init DIR`"
        )
    read = _read(path, CourseFile)
    environments = {name: tuple(table.packages) for name, table in read.environments.items()}
    _must_be_known(path, read.policy, sorted(each.parent.name for each in folder.glob(_ASSIGNMENTS)))
    url = read.gradebook.url if read.gradebook else ""
    return Course(read.title, environments, folder / read.key, folder, read.policy, url)


def assignment_ids(course: Course) -> list[str]:
    """The assignments that a course has, sorted."""
    return sorted(path.parent.name for path in course.dir.glob(_ASSIGNMENTS))


def load_assignment(course: Course, assignment_id: str) -> Assignment:
    """Read one assignment; CourseError says what is wrong with it, or which ones there are."""
    known = assignment_ids(course)
    if assignment_id not in known:
        raise CourseError(
            f"{course.dir} has no assignment {assignment_id!r}{nearest(assignment_id, known)}; "
            f"there are: {listed(known)} (each a folder assignments/ID with an {ASSIGNMENT_FILE})"
        )
    folder = course.dir / "assignments" / assignment_id
    path = folder / ASSIGNMENT_FILE
    read = _read(path, AssignmentFile)
    for number, question in enumerate(read.questions, 1):
        _must_be_of_one_kind(path, number, question)
        if not question.manual and question.environment not in course.environments:
            raise CourseError(
                f"{path}: question {number} ({question.id}): environment {question.environment!r} is not one of "
                f"{COURSE_FILE}{nearest(question.environment, course.environments)}; "
                f"there are: {listed(course.environments)}"
            )
    for question in read.questions:
        if question.id in RESERVED:
            raise CourseError(
                f"{path}: no question can have the id {question.id!r}: a column of grades.csv is called so"
            )
    counts = Counter(question.id for question in read.questions)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise CourseError(f"{path}: two questions have the id {twice[0]!r}; each needs one of its own")
    for number, question in enumerate(read.questions, 1):
        _must_be_earlier(path, number, question, read.questions[: number - 1])
        _must_suit_device(path, number, question)
    automatic = tuple(question for question in read.questions if not question.manual)
    if not automatic:
        raise CourseError(f"{path}: all of its questions are manual: at least one must have a topic")
    manual = tuple(question for question in read.questions if question.manual)
    return Assignment(assignment_id, read.title, read.due, automatic, read.limits, folder, manual)


def _must_be_known(path: Path, policy: Policy, assignments: Collection[str]) -> None:
    """A group counts assignments that there are, and what is given by hand is no folder's name."""
    known = sorted({*assignments, *policy.by_hand})
    for name, group in policy.groups.items():
        for each in group.assignments:
            if each not in known:
                raise CourseError(
                    f"{path}: policy: groups: {name}: there is no assignment {each!r}{nearest(each, known)}; "
                    f"there are: {listed(known)} (what has no folder belongs into [policy.by_hand])"
                )
    for each in policy.by_hand:
        if each in assignments:
            raise CourseError(f"{path}: policy: by_hand: {each!r} is the name of an assignment with a folder")


def _must_be_of_one_kind(path: Path, number: int, question: Question) -> None:
    """A question has a topic, or a person who grades it; what belongs to the other kind is a mistake."""
    where = f"{path}: question {number} ({question.id}): "
    given = question.model_fields_set
    if not question.manual and not question.topic:
        raise CourseError(f"{where}the key 'topic' is missing; or say `manual = true` where a person grades it")
    if question.manual and (foreign := sorted(given & _OF_TOPICS)):
        raise CourseError(f"{where}a manual question has no {foreign[0]!r}: it is graded by a person")
    if question.scoring == "worst" and question.groups:
        raise CourseError(f"{where}scoring = 'worst' makes one group of all checks; take out 'groups', or 'scoring'")
    if not question.manual and question.prompt:
        raise CourseError(f"{where}only a manual question has a 'prompt'")


def _must_be_earlier(path: Path, number: int, question: Question, earlier: Sequence[Question]) -> None:
    """What a question uses is graded before it, in the same place."""
    where = f"{path}: question {number} ({question.id}): uses: "
    known = {each.id: each for each in earlier if not each.manual}
    for name in question.uses:
        if name not in known:
            raise CourseError(
                f"{where}{name!r} is no earlier question with a topic{nearest(name, known)}; there are: {listed(known)}"
            )
        if known[name].environment != question.environment:
            raise CourseError(f"{where}{name!r} has another environment; give both the same")
    for factor in ("cost_factor", "memory_factor"):
        if question.uses and getattr(question, factor) is not None:
            raise CourseError(f"{where}a question with a {factor} uses nothing: only its own code can be measured")


def _must_suit_device(path: Path, number: int, question: Question) -> None:
    """What is measured or lent is so on the processor."""
    others = [name for name in ("uses", "cost_factor", "memory_factor") if getattr(question, name)]
    if question.device != PROCESSOR and others:
        raise CourseError(
            f"{path}: question {number} ({question.id}): device: {others[0]} works on the processor alone; "
            "take one of the two out"
        )


def _read(path: Path, model: type[_Document]) -> _Document:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows editors put a mark before it
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{path} is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    return checked(path, document, model)


def checked(path: Path, document: Mapping[str, object], model: type[_Document]) -> _Document:
    """What a file of the course says, held against its model; CourseError names key, value and nearest valid key."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # An unknown key comes first: it is often why another one is missing.
        found = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        problems = [_sentence(problem, model, document) for problem in found]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise CourseError(f"{path}: {problems[0]}{more}") from error


def _sentence(problem: Mapping[str, object], model: type[Strict], document: Mapping[str, object]) -> str:
    """What is wrong, where in the file, and what would be right."""
    place: tuple[int | str, ...] = problem["loc"]  # type: ignore[assignment]
    *above, last = place
    where = _where(tuple(above), document)
    if problem["type"] == "extra_forbidden":
        known = valid_keys(model, tuple(above))
        return f"{where}unknown key {last!r}{nearest(str(last), known)}; keys there: {listed(known)}"
    if problem["type"] == "missing":
        return f"{where}the key {last!r} is missing"
    message = str(problem["msg"])
    given = problem["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    return f"{where}{last}: {message[0].lower()}{message[1:]}{shown}"


def _where(place: tuple[int | str, ...], document: object) -> str:
    """`question 3 (relu): ` for ("questions", 2): people count from one."""
    words: list[str] = []
    for step in place:
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step]
        if isinstance(step, int) and words:
            name = document.get("id") if isinstance(document, Mapping) else None
            words[-1] = f"{words[-1].removesuffix('s')} {step + 1}" + (f" ({name})" if name else "")
        else:
            words.append(str(step))
    return ": ".join([*words, ""])

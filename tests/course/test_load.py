"""Is every mistake in a course's files told by file, key and nearest valid key?"""

from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.course.load import Course, assignment_ids, load_assignment, load_course
from autograder.course.schema import AssignmentFile, CourseFile, valid_keys

COURSE = 'title = "T"\n[environments.numpy]\npackages = ["numpy"]\n'
QUESTION = '[[questions]]\nid = "a"\ntopic = "softmax"\npoints = 4\n'


def write_course(folder: Path, *, course: str = COURSE, assignment: str | None = None) -> Path:
    (folder / "course.toml").write_text(course, encoding="utf-8")
    if assignment is not None:
        (folder / "assignments" / "one").mkdir(parents=True)
        (folder / "assignments" / "one" / "assignment.toml").write_text(assignment, encoding="utf-8")
    return folder


def test_load_course_of_the_flagship_has_both_environments(flagship: Course) -> None:
    assert set(flagship.environments) == {"numpy", "torch"}
    assert "torch" in flagship.environments["torch"]
    assert "torch" not in flagship.environments["numpy"]
    assert "foundations" in assignment_ids(flagship)


def test_load_assignment_of_the_flagship_is_worth_its_questions(flagship: Course) -> None:
    assignment = load_assignment(flagship, "foundations")
    assert assignment.max_points == sum(question.points for question in assignment.questions)
    assert len({question.id for question in assignment.questions}) == len(assignment.questions) == 10
    assert {question.environment for question in assignment.questions} == {"numpy", "torch"}


def test_load_assignment_fills_in_what_is_left_out(tmp_path: Path) -> None:
    text = f'title = "One"\ndue = 2027-03-01T23:59:00+01:00\n{QUESTION}weights = {{ loss = 2 }}\n'
    assignment = load_assignment(load_course(write_course(tmp_path, assignment=text)), "one")
    (question,) = assignment.questions
    assert (question.environment, question.cpu_s, question.memory_mib) == ("numpy", 4.0, 2048)
    assert question.weights == {"loss": 2.0}
    assert (assignment.limits.cell_cpu_s, assignment.limits.load_cpu_s) == (5.0, 15.0)
    assert assignment.due is not None
    assert assignment.due.utcoffset() is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('tilte = "T"\n' + COURSE, ["course.toml", "'tilte'", "'title'"]),
        ('[environments.numpy]\npackage = ["numpy"]\n', ["environments: numpy: ", "'package'", "'packages'"]),
        ('title = "T"\n', ["'environments' is missing"]),
        ('title = "T"\n[environments]\n', ["environments", "at least 1"]),
        ('title = 4\n[environments.numpy]\npackages = ["numpy"]\n', ["title", "not 4"]),
        ('title = "T\n', ["not valid TOML", "line 1"]),
    ],
    ids=["unknown key", "unknown key inside", "missing", "no environment", "wrong type", "no TOML"],
)
def test_load_course_with_a_mistake_names_it(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(CourseError) as caught:
        load_course(write_course(tmp_path, course=text))
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (QUESTION.replace("points", "point"), ["question 1 (a): ", "'point'", "'points'"]),
        (QUESTION + '[limits]\ncell_cpu = 3\n', ["limits: ", "'cell_cpu'", "'cell_cpu_s'"]),
        (QUESTION + QUESTION.replace("softmax", "relu"), ["two questions", "'a'"]),
        (QUESTION + 'environment = "nunpy"\n', ["question 1 (a)", "'nunpy'", "'numpy'"]),
        (QUESTION.replace("4", "0"), ["question 1 (a): points", "greater than 0", "not 0"]),
        (QUESTION.replace("4", "nan"), ["question 1 (a): points", "finite", "not nan"]),
        (QUESTION.replace("4", "true"), ["question 1 (a): points", "not True"]),
        (QUESTION + "cpu_s = -1\n", ["question 1 (a): cpu_s", "not -1"]),
        (QUESTION + "weights = { loss = -1 }\n", ["question 1 (a): weights: loss", "not -1"]),
        (QUESTION + 'scoring = "best"\n', ["question 1 (a): scoring", "'weights' or 'worst'"]),
        (QUESTION + 'groups = [["loss"]]\n', ["question 1 (a): groups: ", "at least 2"]),
        (QUESTION + 'scoring = "worst"\ngroups = [["a", "b"]]\n', ["question 1 (a): scoring = 'worst'", "take out"]),
        (QUESTION + "cost_factor = 1\n", ["question 1 (a): cost_factor", "greater than 1", "not 1"]),
        (QUESTION + "memory_factor = 0.5\n", ["question 1 (a): memory_factor", "greater than 1", "not 0.5"]),
        (QUESTION.replace('"a"', '"../a"'), ["question 1 (../a): id", "not '../a'"]),
        (QUESTION.replace('"a"', '"points"'), ["'points'", "grades.csv"]),
        ("questions = []\n", ["questions", "at least 1"]),
        ("due = 2027-03-01T23:59:00\n" + QUESTION, ["due", "timezone"]),
    ],
    ids=[
        "unknown key", "unknown limit", "same id", "environment", "no points", "nan", "bool", "negative limit",
        "negative weight", "scoring", "group of one", "two ways of scoring", "no cost", "no memory",
        "id is a path", "id is a column", "no question", "due without zone",
    ],
)  # fmt: skip
def test_load_assignment_with_a_mistake_names_it(tmp_path: Path, text: str, words: list[str]) -> None:
    course = load_course(write_course(tmp_path, assignment=f'title = "One"\n{text}'))
    with pytest.raises(CourseError) as caught:
        load_assignment(course, "one")
    message = str(caught.value)
    assert "assignments/one/assignment.toml" in message
    assert all(word in message for word in words), message
    assert "\n" not in message


@pytest.mark.parametrize("wanted", ["fundations", "../course", "", "reference"])
def test_load_assignment_that_does_not_exist_lists_those_that_do(flagship: Course, wanted: str) -> None:
    with pytest.raises(CourseError, match=r"there are: .*\bfoundations\b"):
        load_assignment(flagship, wanted)


def test_load_assignment_with_a_typing_mistake_gets_the_nearest(flagship: Course) -> None:
    with pytest.raises(CourseError, match="did you mean 'foundations'"):
        load_assignment(flagship, "fundations")


def test_load_course_of_a_folder_that_is_none_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="autograder init"):
        load_course(tmp_path)


def test_valid_keys_follow_lists_and_tables() -> None:
    assert "points" in valid_keys(AssignmentFile, ("questions", 3))
    assert valid_keys(CourseFile, ("environments", "numpy")) == {"packages"}
    assert valid_keys(AssignmentFile, ("questions", 3, "weights")) == frozenset()

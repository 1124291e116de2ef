"""LMSs as small as they can be, to write for: each exports its gradebook, and imports a file by its own rules.

The rules are those that were read in the products' sources or observed on them. Nothing here uses our own
readers and writers.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

Cells = list[list[str]]


@dataclass
class Person:
    """Somebody in the LMS. grades: by assignment; a grade that is not there is not in the dict."""

    number: int
    login: str
    sis_id: str
    first: str
    last: str
    grades: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"s{self.number}@example.edu"

    @property
    def sortable(self) -> str:
        return f"{self.last}, {self.first}"


@dataclass
class Lms:
    """people, and the assignments with their maxima. mark: whether the export begins with a byte order mark."""

    people: list[Person]
    assignments: dict[str, int]
    delimiter: str = ","
    encoding: str = "utf-8"
    mark: bool = False

    def encoded(self, rows: Cells, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=self.delimiter, lineterminator="\n", quoting=quoting).writerows(rows)
        return (("\ufeff" if self.mark else "") + file.getvalue()).encode(self.encoding)

    def decoded(self, contents: bytes) -> Cells:
        text = contents.decode(self.encoding).removeprefix("\ufeff")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True))

    def one(self, test: Callable[[Person], bool], what: str) -> Person:
        found = [person for person in self.people if test(person)]
        assert len(found) == 1, f"{what} is {len(found)} people"
        return found[0]


class Canvas(Lms):
    def export(self) -> bytes:
        head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        names = list(self.assignments)
        items = [f"{name} ({100 + index})" for index, name in enumerate(names)]
        rows = [[*head, "Notes", *items, "Current Score", "Final Score"]]
        rows.append(["", "", "", "", "", "", *(["Manual Posting"] * len(items)), "", ""])
        most = [f"{maximum}.00" for maximum in self.assignments.values()]
        rows.append(["    Points Possible", "", "", "", "", "", *most, "(read only)", "(read only)"])
        for person in self.people:
            shown = f'="{person.sortable}"' if person.sortable.startswith("=") else person.sortable
            grades = [person.grades.get(name, "") for name in names]
            rows.append(
                [shown, str(person.number), person.sis_id, person.login, "Sec 1", "old note", *grades, "1", "2"]
            )
        return self.encoded(rows)

    def upload(self, contents: bytes) -> None:
        text = contents.decode(self.encoding)
        lines = re.split(r"\r\n|\r|\n", text)[:3]
        delimiter = ";" if all(line.count(";") > line.count(",") for line in lines if line) else ","
        assert delimiter == self.delimiter, "Canvas has guessed another delimiter"
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        header, body = rows[0], rows[1:]
        assert "Student" in header[0]
        assert "ID" in header[1]
        assert len(header) > 3
        section = header.index("Section")
        assert all(not re.search("(Current|Final) Score", cell) for cell in header)
        ids = {str(100 + index): name for index, name in enumerate(self.assignments)}
        for place, cell in enumerate(header[section + 1 :], section + 1):
            found = re.fullmatch(r"(.*)\s\((\d+)\)", cell, re.DOTALL)
            assert found, f"Canvas would make a new assignment {cell!r}"
            name = ids[found[2]]
            for row in body:
                if "Points Possible" in row[0]:
                    assert Decimal(row[place]) == self.assignments[name], "Canvas would change the points"
                    continue
                self.put(self.one(lambda person, row=row: str(person.number) == row[1], row[0]), name, row[place])

    def put(self, person: Person, name: str, cell: str) -> None:
        cell = cell.strip()
        if cell in {"", "-"}:
            person.grades.pop(name, None)
        else:
            person.grades[name] = cell if cell.upper() == "EX" else f"{number_of(cell):.2f}"


class Blackboard(Lms):
    def export(self) -> bytes:
        items = [
            f"{name} [Puntos totales: hasta {maximum} Puntuación] |{600 + index}"
            for index, (name, maximum) in enumerate(self.assignments.items())
        ]
        rows = [["Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability", *items]]
        for person in self.people:
            grades = [person.grades.get(name, "") for name in self.assignments]
            rows.append([person.last, person.first, person.login, person.sis_id, "2026-11-20", "Yes", *grades])
        return self.encoded(rows, csv.QUOTE_ALL)

    def upload(self, contents: bytes) -> None:
        rows = self.decoded(contents)
        key = rows[0].index("Username")
        for place, cell in enumerate(rows[0]):
            found = re.search(r"\|\s*(\d+)\s*$", cell)
            if found:
                name = list(self.assignments)[int(found[1]) - 600]
                for row in rows[1:]:
                    person = self.one(lambda each, row=row: each.login == row[key], row[key])
                    person.grades[name] = f"{number_of(row[place]):.2f}"


class Brightspace(Lms):
    def export(self) -> bytes:
        items = [
            f"{name} Points Grade <Numeric MaxPoints:{maximum} Weight:10 Category:Homework CategoryWeight:40>"
            for name, maximum in self.assignments.items()
        ]
        rows = [["OrgDefinedId", "Username", "Last Name", "First Name", *items, "End-of-Line Indicator"]]
        for person in self.people:
            grades = [person.grades.get(name, "") for name in self.assignments]
            rows.append([f"#{person.sis_id}", f"#{person.login}", person.last, person.first, *grades, "#"])
        return self.encoded(rows)

    def upload(self, contents: bytes) -> None:
        rows = self.decoded(contents)
        assert rows[0][:2] == ["OrgDefinedId", "Username"]
        assert rows[0][-1] == "End-of-Line Indicator"
        assert len(rows[0]) == 4, "other columns are not to be included"
        found = re.fullmatch(r"(.*) Points Grade( <.*>)?", rows[0][2], re.DOTALL)
        assert found
        for row in rows[1:]:
            assert row[-1] == "#"
            person = self.one(lambda each, row=row: each.sis_id == row[0].removeprefix("#"), row[0])
            person.grades[found[1]] = f"{min(number_of(row[2]), self.assignments[found[1]]):.2f}"


class Sakai(Lms):
    def export(self) -> bytes:
        titles = [cell for name, most in self.assignments.items() for cell in (f"{name} [{most}]", f"* {name}")]
        rows = [["Student ID", "Student Name", *titles, "# Section"]]
        for person in self.people:
            cells = [cell for name in self.assignments for cell in (self.shown(person.grades.get(name, "")), "")]
            rows.append([person.login, person.sortable, *cells, "01"])
        return self.encoded(rows)

    def shown(self, grade: str) -> str:
        return grade.replace(".", ",") if self.delimiter == ";" else grade

    def upload(self, contents: bytes) -> None:
        text = contents.decode(self.encoding).removeprefix("\ufeff")
        rows = list(backslash_csv(text, self.delimiter))
        titles = rows[0][2:]
        assert len(set(titles)) == len(titles)
        logins = [row[0] for row in rows[1:]]
        assert len(set(logins)) == len(logins)
        for place, title in enumerate(titles, 2):
            if title.startswith(("#", "*")):
                continue
            found = re.fullmatch(r"([^\[]+)(\[(\d+([\.,]\d\d?)?)\])?", title)
            assert found, f"{title!r} is no heading"
            name = found[1].strip()
            for row in rows[1:]:
                person = self.one(lambda each, row=row: each.login == row[0], row[0])
                assert row[1].replace("\\ ", "\\").rstrip() == person.sortable.rstrip(), "a name has changed"
                if row[place]:
                    assert ("," in row[place]) <= (self.delimiter == ";"), "the wrong decimal sign"
                    person.grades[name] = f"{number_of(row[place]):.2f}"


class Moodle(Lms):
    """What a real Moodle 4.3 did: the upload is read, written and read again by PHP, with its backslash."""

    def export(self) -> bytes:
        items = [cell for name in self.assignments
                 for cell in (f"Assignment: {name} (Real)", f"Assignment: {name} (Feedback)")]  # fmt: skip
        head = ["First name", "Last name", "ID number", "Institution", "Department", "Email address"]
        rows = [[*head, *items, "Course total (Real)", "Last downloaded from this course"]]
        for person in self.people:
            cells = [cell for name in self.assignments for cell in (person.grades.get(name, "-"), "")]
            rows.append([person.first, person.last, person.sis_id, "", "", person.email, *cells, "-", "1764000000"])
        return self.encoded(rows)

    def upload(self, contents: bytes) -> None:
        text = contents.decode(self.encoding).removeprefix("\ufeff")
        first = list(php_read(text, self.delimiter))
        rows = list(php_read("".join(php_written(row) for row in first), ","))
        assert {len(row) for row in rows} == {len(rows[0])}, "number of columns is not constant"
        key = rows[0][0]
        found = re.fullmatch(r"Assignment: (.*) \(Real\)", rows[0][1], re.DOTALL)
        assert found
        self.feedback = {}
        for row in rows[1:]:
            value = row[0].strip()
            if key == "ID number":
                person = self.one(lambda each, value=value: each.sis_id == value, value)
            else:
                person = self.one(lambda each, value=value: each.email.casefold() == value.casefold(), value)
            cell = row[1].strip()
            if cell in {"", "-"}:
                person.grades.pop(found[1], None)
                continue
            assert re.fullmatch(r"[+-]?\d*\.?\d+(e\d+)?", cell), f"{cell!r} is no number: nothing is imported"
            person.grades[found[1]] = f"{min(Decimal(cell), self.assignments[found[1]]):.2f}"
            if len(row) > 2:
                self.feedback[person.number] = row[2].strip()


def number_of(cell: str) -> Decimal:
    """The last comma or point is the decimal one."""
    whole, _, rest = cell.replace(",", ".").rpartition(".")
    return Decimal(f"{whole.replace('.', '')}.{rest}") if whole else Decimal(cell.replace(",", "."))


def backslash_csv(text: str, delimiter: str) -> Iterator[list[str]]:
    """CSV as Java's opencsv reads it: inside of quotes a backslash takes a quote or a backslash along."""
    row, cell, inside, place = [], "", False, 0
    while place < len(text):
        letter, after = text[place], text[place + 1 : place + 2]
        place += 1
        if letter == "\\" and inside and after in {'"', "\\"} and after:
            cell, place = cell + after, place + 1
        elif letter == '"' and inside and after == '"':
            cell, place = cell + '"', place + 1
        elif letter == '"':
            inside = not inside
        elif letter == delimiter and not inside:
            row, cell = [*row, cell], ""
        elif letter == "\n" and not inside:
            yield [*row, cell]
            row, cell = [], ""
        else:
            cell += letter
    assert not inside, "a quote is never closed"


def php_read(text: str, delimiter: str) -> Iterator[list[str]]:
    """PHP's fgetcsv with its escape: inside of quotes a backslash keeps the next letter from ending them."""
    row, cell, inside, place, fresh = [], "", False, 0, True
    while place < len(text):
        letter, after = text[place], text[place + 1 : place + 2]
        place += 1
        if inside and letter == "\\" and after:
            cell, place = cell + letter + after, place + 1
        elif inside and letter == '"' and after == '"':
            cell, place = cell + '"', place + 1
        elif inside and letter == '"':
            inside = False
        elif not inside and letter == '"' and fresh:
            inside = True
        elif not inside and letter == delimiter:
            row, cell, fresh = [*row, cell], "", True
            continue
        elif not inside and letter == "\n":
            yield [*row, cell]
            row, cell, fresh = [], "", True
            continue
        else:
            cell += letter
        fresh = False
    if inside or cell or row:
        yield [*row, cell]


def php_written(row: list[str]) -> str:
    """PHP's fputcsv with its escape: a quote after a backslash is not doubled."""
    cells = []
    for cell in row:
        if not any(letter in cell for letter in ',"\\\n\r\t '):
            cells.append(cell)
            continue
        text, escaped = "", False
        for letter in cell:
            if letter == "\\":
                escaped = True
            elif not escaped and letter == '"':
                text += '"'
            else:
                escaped = False
            text += letter
        cells.append(f'"{text}"')
    return ",".join(cells) + "\n"

"""Which mutants of the references pass every check?

A survivor is either equal to the reference for every input, and then its author says so with `harmless`, or a
mistake that the cases cannot show. None is hidden; only a person can tell the one from the other.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from autograder.checks.conduct import drive
from autograder.checks.plan import Plan
from autograder.checks.verdict import Sheet
from autograder.course.load import Assignment, Course
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.bounded import each_bounded
from autograder.suite.compile import plan_of, suite_folder
from autograder.suite.cores import on_all_cores
from autograder.suite.mutants import Mutant, mutants_of, reference_source, same_tokens
from autograder.suite.prove import without_long_run
from autograder.suite.right import show
from autograder.suite.store import Suite, replace_file
from autograder.topic.edits import defined_names, edited, rebuild
from autograder.values.outcomes import Outcome

FILE = "mutants.json"
LEAST_CPU_S = 2  # for a mutant; a topic whose reference is slow gives more
SLOWER = 10  # times the reference's own CPU time
ENDLESS = "does not end"  # or asks for all memory, or ends the process: in any case nobody gets points for it


@dataclass
class Survey:
    """What became of the mutants of one question.

    killed: how many each check caught, the first that did. survivors: {kind, old, new} of those that pass every
    check. harmless: of those, declared as such, with the reason. stale: declared harmless, but caught by a check.
    """

    question: str
    topic: str
    mutants: int = 0
    killed: dict[str, int] = field(default_factory=dict)
    survivors: list[dict[str, str]] = field(default_factory=list)
    harmless: list[dict[str, str]] = field(default_factory=list)
    stale: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def survey_suite(
    course: Course, assignment: Assignment, suite: Suite, report: Callable[[str], None] = lambda line: None
) -> list[dict[str, Any]]:
    """The surveys of all questions of a kept suite, as JSON takes them; kept beside it. report: told of progress."""
    surveys = []
    for number, (question, survey) in enumerate(on_all_cores(course, assignment, _question), start=1):
        report(f"{number}/{len(assignment.questions)} mutants of {question}")
        surveys.append(vars(survey))
    kept = json.dumps({"suite": suite.digest, "mutants": surveys}, indent=1) + "\n"
    replace_file(suite_folder(course, assignment.id) / FILE, kept.encode())
    return surveys


def kept_surveys(folder: Path, suite: Suite) -> list[dict[str, Any]]:
    """The surveys that were made of this very suite; none where there were not."""
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return list(kept["mutants"]) if kept.get("suite") == suite.digest else []


def survey(plan: Plan) -> Survey:
    """Put every mutant of a question's reference through its checks, long runs left out."""
    began = time.perf_counter()
    topic, short = plan.topic, without_long_run(plan)
    source = reference_source(topic)
    mutants = list(mutants_of(source))
    used = time.process_time()
    drive(short, LocalQuestion(topic.reference).ask)
    cpu_s = max(LEAST_CPU_S, ceil(SLOWER * (time.process_time() - used)))
    found = Survey(plan.question, topic.name, len(mutants))
    declared = [(each, edited(source, (each.edit,))) for each in topic.harmless_edits]
    killed: Counter[str] = Counter()
    ends = each_bounded(mutants, lambda mutant: (_killer(short, mutant) or "\0").encode(), cpu_s)
    for mutant, payload in zip(mutants, ends, strict=True):
        killer = ENDLESS if payload is None else payload.decode().strip("\0")
        shown = {"kind": mutant.kind, "old": mutant.edit[0], "new": mutant.edit[1]}
        because = next((each.because for each, text in declared if same_tokens(text, mutant.source)), None)
        if killer:
            killed[killer] += 1
        if because is None and not killer:
            found.survivors.append(shown)
        elif because is not None:
            (found.stale if killer else found.harmless).append({**shown, "because": because})
    found.killed = dict(killed)
    found.seconds = round(time.perf_counter() - began, 2)
    return found


def _question(course_dir: Path, assignment_id: str, question_id: str) -> Survey:
    return survey(plan_of(course_dir, assignment_id, question_id))


def _killer(plan: Plan, mutant: Mutant) -> str:
    """The first check that does not pass, or nothing. Cases are tried one after the other, as most die early."""
    topic = plan.topic
    try:
        rebuilt = rebuild(mutant.source, defined_names(tuple(topic.reference.values())))
    except Exception:  # noqa: BLE001 - a default that cannot be computed, say
        return "cannot be defined"
    names = topic.as_defined({name: rebuilt[name] for name in topic.reference})
    sheet = Sheet(plan)
    for case in plan.cases.values():
        sheet.seen.update(show(topic, names, [case]))
        for check in plan.checks:
            judged = case.name in check.cases and check.block in plan.expectations.get(case.name, {})
            if judged and sheet.compare(case.name, check.block).outcome != Outcome.PASSED:
                return check.id
    result = drive(plan, LocalQuestion(names).ask, sheet.seen)
    return next((check.id for check in plan.checks if result.verdicts[check.id].outcome != Outcome.PASSED), "")

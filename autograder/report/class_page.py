"""What does a class report look like: as a page for teaching staff, and as one JSON document?"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from autograder.report import wording
from autograder.report.analysis import FEWEST, ClassReport, QuestionReport
from autograder.report.class_tables import ends_of
from autograder.report.html import template
from autograder.report.plots import log_histogram, points_histogram, scatter, shares
from autograder.report.tally import Tally
from autograder.values.counting import counted

PAGE = "report.html"
_MOST_GROUPS = 50  # of wrong answers without a name, on the page; the table has all
_MEASURES = {"wall_s": ("wall time", "s"), "cpu_s": ("CPU time in questions", "s"), "peak_mib": ("memory", "MiB")}


def page_of(
    report: ClassReport, tally: Tally, *, course: str, assignment: str, source: str, links: Mapping[str, str]
) -> str:
    """The self-contained page. source: of the class. links: staff pages of students, where there are."""
    return template(PAGE).render(
        course=course,
        assignment=assignment,
        source=source,
        report=report,
        fewest=FEWEST,
        states={state.replace("_", " "): count for state, count in report.states.items()},
        points_plot=Markup(points_histogram(report.tenths, report.max_points)) if report.points else "",
        shares_plot=Markup(shares(report.questions)),
        scatter_plot=Markup(scatter(report.questions)),
        cost_plots=[
            {"plot": Markup(log_histogram(tally.costs[name], _MEASURES[name][1])), "words": _MEASURES[name]}
            for name, cost in report.costs.items()
            if name != "cpu_s" and cost.largest > 0
        ],
        questions=[_question(number, each) for number, each in enumerate(report.questions, 1)],
        known=[{"question": k.question, "name": k.name, "hint": k.hint, "who": who} for k, who in report.known],
        unknown=[
            {"question": group.question, "kind": group.kind, "ends": ends_of(group), "who": who}
            for group, who in report.unknown[:_MOST_GROUPS]
        ],
        unknown_more=max(0, len(report.unknown) - _MOST_GROUPS),
        costs=[(_MEASURES[name], cost) for name, cost in report.costs.items()],
        links=links,
    )


def document_of(report: ClassReport) -> dict[str, Any]:
    """Everything that the page says, for programs; None where there is no number."""
    return {
        "submissions": report.students,
        "states": report.states,
        "max_points": report.max_points,
        "points": asdict(report.points) if report.points else None,
        "tenths": list(report.tenths),
        "questions": [_question_json(each) for each in report.questions],
        "discrimination_students": report.complete,
        "misconceptions": [
            {"question": key.question, "name": key.name, "hint": key.hint, "count": len(who), "students": list(who)}
            for key, who in report.known
        ],
        "unexplained": [
            {
                "question": group.question,
                "kind": group.kind,
                "ends": ends_of(group),
                "count": len(who),
                "students": list(who),
            }
            for group, who in report.unknown
        ],
        "suites": report.suites,
        "cost": {name: asdict(cost) for name, cost in report.costs.items()},
    }


def lines_of(report: ClassReport) -> list[str]:
    """The report in a few lines, for a terminal."""
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in report.states.items())
    lines = [f"{counted(report.students, 'submission')}: {states or 'none'}"]
    if report.points:
        middle, mean = report.points.median, report.points.mean
        lines.append(f"Points of {report.max_points:g}: middle {middle:g}, mean {mean:.4g}")
    for each in report.questions:
        share = "no number" if each.mean_share is None else f"{100 * each.mean_share:.0f} % of the points"
        told = "" if each.discrimination is None else f", discrimination {each.discrimination:.2f}"
        lines.append(f"  {each.item.id}: {share}{told}")
    for key, who in report.known[:5]:
        lines.append(f"{len(who)} x {key.question}: {key.name}")
    if report.unknown:
        lines.append(
            f"{len(report.unknown)} groups of wrong answers without a name; the largest: {len(report.unknown[0][1])}"
        )
    return lines


def _question(number: int, question: QuestionReport) -> dict[str, Any]:
    found = question.discrimination
    return {
        "number": number,
        "id": question.item.id,
        "title": question.item.title,
        "manual": question.item.manual,
        "max_points": question.item.max_points,
        "mean": None if question.mean_share is None else f"{100 * question.mean_share:.0f} %",
        "discrimination": None if found is None or math.isnan(found) else f"{found:.2f}",
        "verdicts": question.verdicts,
        "outcomes": sorted(
            ((wording.LABELS[outcome], count) for outcome, count in question.outcomes.items() if outcome != "passed"),
            key=lambda pair: -pair[1],
        ),
    }


def _question_json(question: QuestionReport) -> dict[str, Any]:
    return {
        "id": question.item.id,
        "title": question.item.title,
        "manual": question.item.manual,
        "max_points": question.item.max_points,
        "students": question.students,
        "mean_share": question.mean_share,
        "discrimination": question.discrimination,
        "verdicts": question.verdicts,
        "outcomes": {str(outcome): count for outcome, count in question.outcomes.items()},
    }

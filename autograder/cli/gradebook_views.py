"""`autograder gradebook show`, `scores` and `audit`: what a gradebook tells."""

import argparse
import json
from typing import Any

from autograder.cli.book import must_be_known, opened, percent, said, score_json, text_of
from autograder.course.errors import CourseError


def show(arguments: argparse.Namespace) -> int:
    from autograder.gradebook.audit import events, said_of
    from autograder.gradebook.database import now
    from autograder.gradebook.facts import (
        policy_in_force,
        scores_of_all,
        standing_decisions,
        students_of,
        tasks_of,
    )
    from autograder.gradebook.policy import total_of

    course, opening = opened(arguments)
    with opening as book, book.reading() as connection:
        must_be_known(arguments.student, students_of(connection))
        policy = policy_in_force(connection, course)
        scores = scores_of_all(connection, tasks_of(course, policy), policy, now=now(), student=arguments.student)
        holding = standing_decisions(connection, arguments.student)
        history = events(connection, student=arguments.student)
        name = students_of(connection)[arguments.student]
    found = scores[arguments.student]
    total = total_of(found, policy) if policy.groups else None
    if arguments.json:
        document: dict[str, Any] = {"student": arguments.student, "name": name}
        document["scores"] = {task: score_json(score) for task, score in found.items()}
        document["total"] = str(total.percent) if total and total.percent is not None else None
        document["history"] = [event.as_json() for event in history]
        print(json.dumps(document, ensure_ascii=False))
        return 0
    print(f"{arguments.student}{f' ({name})' if name else ''}")
    for task, score in found.items():
        print(f"  {task}: {said(score)}")
        for row in (row for row in holding if row.assignment == task):
            print(f"    decision {row.id}, {said_of(row)} ({row.author}: {row.reason})")
    if total is not None:
        open_yet = f"open; {percent(total.so_far)} of what is graded" if total.percent is None else ""
        print(f"  total: {open_yet or percent(total.percent)}")
        if total.dropped:
            print(f"    does not count, as the worst: {', '.join(total.dropped)}")
    return 0


def scores(arguments: argparse.Namespace) -> int:
    from autograder.gradebook.database import now
    from autograder.gradebook.facts import comments_of, policy_in_force, scores_of_all, tasks_of
    from autograder.gradebook.policy import total_of
    from autograder.report.scores import write_scores, write_totals

    course, opening = opened(arguments)
    with opening as book, book.reading() as connection:
        policy = policy_in_force(connection, course)
        tasks = tasks_of(course, policy)
        everybody = scores_of_all(connection, tasks, policy, now=now())
        comments = comments_of(connection, arguments.assignment)
    changed = policy != course.policy
    if arguments.assignment:
        must_be_known(arguments.assignment, [task.id for task in tasks], "the course has no assignment")
        scores = {student: found[arguments.assignment] for student, found in everybody.items()}
        if arguments.out:
            write_scores(scores, comments, arguments.out)
        rows = {student: score_json(score) for student, score in scores.items()}
        lines = [f"{student}: {said(score)}" for student, score in scores.items()]
    else:
        totals = {student: total_of(found, policy) for student, found in everybody.items()}
        if not policy.groups:
            raise CourseError("the policy has no [policy.groups], so there are no totals: name an ASSIGNMENT")
        if arguments.out:
            write_totals(totals, everybody, arguments.out)
        rows = {
            student: {"total": text_of(total.percent), "so_far": text_of(total.so_far)}
            for student, total in totals.items()
        }
        lines = [
            f"{student}: " + ("open; so far " if total.percent is None else "") + percent(total.percent or total.so_far)
            for student, total in totals.items()
        ]
    if arguments.json:
        print(json.dumps({"scores": rows, "policy_changed": changed}, ensure_ascii=False))
        return 0
    print(f"{arguments.out}: {len(rows)} students" if arguments.out else "\n".join(lines))
    if changed:
        print(
            "The policy in course.toml is another one than the scores follow: `autograder regrade ASSIGNMENT` "
            "shows what it changes, and adopts it"
        )
    return 0


def audit(arguments: argparse.Namespace) -> int:
    from autograder.gradebook.audit import events

    _, opening = opened(arguments)
    with opening as book, book.reading() as connection:
        found = events(connection, student=arguments.student, assignment=arguments.assignment)
    if arguments.json:
        print(json.dumps([event.as_json() for event in found], ensure_ascii=False))
        return 0
    for event in found:
        who = " ".join(part for part in (event.student, event.assignment) if part)
        number = f"decision {event.number}, " if event.number else ""
        why = f" ({event.author}: {event.reason})" if event.author else ""
        print(f"{event.at.isoformat(sep=' ', timespec='seconds')}  {who}: {number}{event.text}{why}")
    return 0

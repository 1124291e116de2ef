"""Do the outputs equal the reference?"""

from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, first_failure, passed


def run(sheet: Sheet, check: Check) -> CheckRun:
    """All cases of the check are asked, so that a diagnosis can look at all; the first failure decides."""
    found = yield from sheet.compare_all(check.cases, check.block)
    return first_failure(check.cases, found) or passed(check.cases[-1])

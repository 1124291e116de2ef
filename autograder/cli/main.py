"""What does `autograder` do with its arguments, and how does it end?

0 done; 1 done, but some submission got no number, or what was checked is not as it should be; 2 the
caller's mistake, or a machine on which no jail can be made, said in one sentence; 3 a mistake of ours;
130 stopped by Ctrl-C, or by a reader of stdout who has gone. Results go to stdout, everything else to stderr.
"""

import argparse
import os
import select
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from autograder import __version__
from autograder.cli import (
    adopt,
    check,
    compile_,
    doctor,
    export,
    grade,
    gradebook,
    gradescope,
    init,
    regrade,
    release,
    replay,
    report,
)
from autograder.course.errors import CourseError
from autograder.sandbox.limits import SandboxError

COMMANDS = (
    init,
    compile_,
    release,
    check,
    grade,
    gradebook,
    regrade,
    replay,
    report,
    adopt,
    export,
    gradescope,
    doctor,
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence in place of argparse's page of usage."""
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def parser() -> argparse.ArgumentParser:
    """The parser of every command; nothing heavy is imported for it."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    shared.add_argument("--debug", action="store_true", help="show the traceback of a mistake of ours")
    whole = _Parser(
        prog="autograder",
        description="Compile a lecturer's reference into a hidden test suite, and grade notebooks by it in a jail.",
    )
    whole.add_argument("--version", action="version", version=f"autograder {__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for command in COMMANDS:
        command.add(commands, shared)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; raises SystemExit only for --help and wrong usage."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"autograder {arguments.command}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError as error:
        if not _nobody_reads():
            _report(arguments, error, error)
            return 3
        return 130
    except Exception as error:  # noqa: BLE001 - the CLI's boundary
        cause = _innermost(error)
        if isinstance(cause, CourseError | SandboxError):
            print(f"autograder {arguments.command}: {cause}", file=sys.stderr)
            return 2
        _report(arguments, error, cause)
        return 3
    return code


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose reader has gone, as `head` does; what is left to be written is dropped."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _innermost(error: Exception) -> Exception:
    """What went wrong in the one of several tasks in which something did."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error


def _report(arguments: argparse.Namespace, error: Exception, cause: Exception) -> None:
    if arguments.debug:
        traceback.print_exception(error)
    summary = str(cause).partition("\n")[0][:300]
    advice = "report it with the traceback above" if arguments.debug else "run it again with --debug and report that"
    print(
        f"autograder {arguments.command}: internal error, {type(cause).__name__}: {summary}. "
        f"This is a mistake of autograder {__version__}, not yours: {advice}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main())

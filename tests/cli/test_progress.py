"""Is somebody kept informed on a terminal and in a log, and on neither flooded?"""

import io

from autograder.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_progress_in_a_log_is_a_line_every_few_seconds_and_the_last() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, every_s=5.0, clock=clock) as progress:
        for done in range(13):
            clock.now_s = float(done)
            progress.count(done, 12, "graded")
    assert stream.getvalue().splitlines() == [
        "0/12 graded",
        "5/12 graded, 1.0 a second, about 7 s left",
        "10/12 graded, 1.0 a second, about 2 s left",
        "12/12 graded",
    ]


def test_progress_on_a_terminal_rewrites_one_line_and_clears_it() -> None:
    stream = Terminal()
    with Progress(stream=stream, clock=Clock()) as progress:
        progress.show("one")
        progress.show("two")
    assert stream.getvalue() == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K"
    assert "\n" not in stream.getvalue()


def test_progress_of_nothing_writes_nothing() -> None:
    stream = io.StringIO()
    with Progress(stream=stream, clock=Clock()):
        pass
    assert stream.getvalue() == ""


def test_progress_tells_the_rate_of_what_had_to_be_done() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, every_s=0.0, clock=clock) as progress:
        clock.now_s = 10.0
        progress.count(30, 40, "graded", known=30)
        progress.count(32, 40, "graded", known=30)
    assert stream.getvalue().splitlines() == ["30/40 graded", "32/40 graded, 12 a minute, about 40 s left"]

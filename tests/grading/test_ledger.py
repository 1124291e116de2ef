"""Is what one ledger knows not graded again, and told to the others?"""

from autograder.grading.ledger import Chain, Memory
from autograder.grading.record import Record, digest_of_grading
from tests.gradebook.made import record, source


class Knowing(Memory):
    """A ledger that knows what it keeps."""

    def known(self, key: str) -> Record | None:
        return next((each for each in self.records.values() if each.key == key), None)


def test_chain_believes_the_first_that_knows_and_tells_all() -> None:
    first, second = Knowing(), Knowing()
    ada, bob = source("ada", "x = 1"), source("bob", "x = 2")
    second.keep(ada, record(ada, 7.0))
    chain = Chain(first, second)
    known = chain.known(record(ada, 7.0).key)
    assert known == record(ada, 7.0)
    chain.keep(ada, known)
    assert first.records == second.records == {"ada": known}
    first.keep(ada, record(ada, 9.0))
    assert chain.known(known.key) == record(ada, 9.0)
    assert chain.known(record(bob, 1.0).key) is None
    assert chain.reused == 2


def test_limits_are_part_of_what_a_record_is_known_by() -> None:
    assert digest_of_grading([{"cpu_s": 4.0}]) == digest_of_grading([{"cpu_s": 4.0}])
    assert digest_of_grading([{"cpu_s": 4.0}]) != digest_of_grading([{"cpu_s": 5.0}])

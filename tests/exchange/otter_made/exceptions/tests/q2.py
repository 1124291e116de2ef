from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = 2
all_or_nothing = True

@test_case(points=None, hidden=False)
def test_d(total):
    assert total > 2

@test_case(points=None, hidden=False)
def test_e(total):
    assert total == 3


from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 4

@test_case(points=None, hidden=False)
def test_a(square):
    assert square(3) == 9

@test_case(points=2, hidden=False, 
    success_message="Fine.", 
    failure_message="Think of signs.")
def test_b(square):
    assert square(-2) == 4

@test_case(points=None, hidden=True)
def test_c(env):
    import numpy as np
    assert np.allclose(env['square'](np.arange(3)), [0, 1, 4])


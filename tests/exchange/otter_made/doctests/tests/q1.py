OK_FORMAT = True

test = {   'name': 'q1',
    'points': 4,
    'suites': [   {   'cases': [   {'code': '>>> square(3)\n9', 'hidden': False, 'locked': False},
                                   {'code': '>>> print(square(-2))\n4', 'failure_message': 'Think of signs.', 'hidden': False, 'locked': False, 'points': 2, 'success_message': 'Fine.'},
                                   {'code': '>>> bool(np.allclose(square(np.arange(3)), [0, 1, 4]))\nTrue', 'hidden': True, 'locked': False}],
                      'scored': True,
                      'setup': '',
                      'teardown': '',
                      'type': 'doctest'}]}

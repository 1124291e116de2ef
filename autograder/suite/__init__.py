"""From a reference to a hidden suite: draw, calibrate, prove, keep."""

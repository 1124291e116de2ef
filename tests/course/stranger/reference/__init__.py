"""The course's mathematics. Signatures are this lecturer's: NHWC images, dict parameters, tuples of results."""

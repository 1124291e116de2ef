"""Where student code runs: the jail, what serves inside it, and the examiner's end of the wire."""

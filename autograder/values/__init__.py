"""The ground of the house: what crosses the wire, how values are compared, how a check can end."""

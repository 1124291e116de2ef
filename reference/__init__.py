"""How is each lecture topic computed, and how do students get it wrong?

One module a lecture topic. Each function here is the right answer of one question: the hidden tests are
compiled from it, so what its docstring says is what is graded. Beside it stand the inputs that are
drawn, at least one independent right implementation, and the misconceptions that the tests must catch.

Deck numbers in `lecture=` and in the sources: 000 SJTU, 001 PKU, 002 USTC, 003 SHU, 004 Biomedical data
science.
"""

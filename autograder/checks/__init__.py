"""The kinds of verdict, one small file each: generators that yield asks and end in a Verdict."""

"""Does a document fail its test where it does not tell the truth?"""

from pathlib import Path

import pytest

from tests.guides import Reader, steps_in

GUIDE = """
Make a folder, and write `one/poem.txt`:

```text
roses are red
violets are green
```

```console
$ cd one
$ cat poem.txt
roses are …
violets are green
```

That is wrong. Mend it in `poem.txt`:

```diff
 roses are red
-violets are green
+violets are blue
```

```console
$ grep -c blue poem.txt
1
$ grep green poem.txt
$ echo $?
1
$ echo "<p>violets</p> <b>are</b> blue &amp; mild" > poem.html
```

The page `poem.html` has now:

> violets are
>
> blue & mild
"""


def test_a_guide_that_is_right_is_followed_to_its_end(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.follow(steps_in(GUIDE))
    assert (tmp_path / "one" / "poem.txt").read_text(encoding="utf-8") == "roses are red\nviolets are blue\n"
    assert reader.at == tmp_path / "one"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("$ cat poem.txt", "$ cat prose.txt", "exit code 1"),
        ("roses are …", "roses are blue", "does not show"),
        ("roses are …\nviolets are green", "violets are green\nroses are …", "not in this order"),
        ("poem.txt\n1\n", "poem.txt\n11\n", "does not show"),
        ("-violets are green", "-tulips are green", "does not hold once"),
        ("$ echo $?\n1", "$ echo $?\n0", "does not show"),
        ("$ echo $?\n1\n", "", "exit code 1"),
        ("> blue & mild", "> green & mild", "does not say"),
        ("`one/poem.txt`:", "the file.", "no file is named"),
    ],
    ids=["command", "line", "order", "number", "change", "exit code", "failure", "quotation", "no name"],
)
def test_a_guide_that_is_not_right_is_found_out(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert GUIDE.count(old) == 1
    with pytest.raises(AssertionError, match=words):
        Reader(tmp_path).follow(steps_in(GUIDE.replace(old, new)))

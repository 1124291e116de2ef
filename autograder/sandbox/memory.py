"""How much of a process's memory is its own?

The kernel says how much a process had resident at most. Part of that was there before it was asked anything: pages
of the process it is a copy of, which both have until one of them writes. Working in space that was filled at loading
hides nothing, as a page that was written to is shared no longer.
"""


def inherited_mib(process: int | str) -> float:
    """MiB that a process still shares with the one it is a copy of; 0 where that cannot be read, or it has ended.

    process: its id, or "self". Pages of files count for nothing: they can be mapped as often as one likes.
    """
    kib, copied = 0, False
    try:
        with open(f"/proc/{process}/smaps", "rb") as smaps:
            for line in smaps:
                name, first, *rest = line.split()
                if not name.endswith(b":"):  # a mapping's first line: addresses, permissions, offset, device, inode
                    copied = first.endswith(b"p") and rest[2] == b"0"
                elif copied and name in (b"Shared_Clean:", b"Shared_Dirty:"):
                    kib += int(first)
    except OSError:
        return 0.0
    return kib / 1024

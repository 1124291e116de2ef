"""Which secret seeds the hidden inputs of a course?

The key is 32 bytes, written as hex in a file that is never committed in a real course. Who has the
key and the references can draw the hidden inputs. A suite stores only the key's fingerprint.
"""

import hashlib
import secrets

from autograder.course.errors import CourseError
from autograder.course.load import Course

KEY_BYTES = 32


def new_key() -> str:
    """The text of a new key file."""
    return f"{secrets.token_hex(KEY_BYTES)}\n"


def load_key(course: Course) -> bytes:
    """The course's key, 32 bytes. In the file, lines that begin with # are comments."""
    path = course.key_file
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise CourseError(
            f"the course's key {path} is missing: restore it from your backup; for a course that never had one, "
            f"write a new one with: python3 -c 'import secrets; print(secrets.token_hex({KEY_BYTES}))' > {path.name}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"the course's key {path} cannot be read: {error}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        key = bytes.fromhex("".join(lines))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise CourseError(
            f"the course's key {path} must hold {KEY_BYTES} bytes as {2 * KEY_BYTES} hex digits: "
            "restore it from your backup"
        )
    return key


def fingerprint(key: bytes) -> str:
    """What may be told of a key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]

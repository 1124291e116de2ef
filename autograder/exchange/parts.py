"""What does a download hold of one student, before it is known who that is?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.notebook.files import Listing


@dataclass(frozen=True)
class Part:
    """name: what the download calls the student. files: names as the student gave them to names in `listing`.

    login: what the LMS says of who it is, beside the name. late: None where it does not say.
    """

    name: str
    lms: str
    listing: Listing
    files: Mapping[str, str] = field(default_factory=dict)
    login: str = ""
    late: bool | None = None
    submitted: str = ""

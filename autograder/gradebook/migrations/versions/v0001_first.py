"""The first tables, and the triggers that keep history as it happened.

Written out, not taken from `tables.py`: a version stays as it was when the tables change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.String(32)
APPEND_ONLY = ("submissions", "attempts", "records", "regrades", "gradings", "policies", "decisions")
KINDS = ("override", "manual", "excuse", "extend", "choose", "submitted", "comment", "withdraw")


def upgrade() -> None:
    op.create_table(
        "students",
        sa.Column("student", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "submissions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("suffix", sa.String(16), nullable=False),
        sa.Column("archive", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(64), nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("submitted", MOMENT),
        sa.Column("late", sa.Boolean),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("assignment", "student", "number"),
    )
    op.create_table(
        "records",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("assignment", sa.String(64), nullable=False),
        sa.Column("suite", sa.String(64), nullable=False),
        # What is not graded is no record: it is graded again.
        sa.Column("state", sa.String(16), sa.CheckConstraint("state IN ('graded', 'unreadable')"), nullable=False),
        sa.Column("points", sa.JSON, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "regrades",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(64), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("never_lower", sa.Boolean, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "gradings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("attempt", sa.Integer, sa.ForeignKey("attempts.id"), nullable=False, index=True),
        sa.Column("record", sa.String(64), sa.ForeignKey("records.key"), nullable=False),
        sa.Column("regrade", sa.Integer, sa.ForeignKey("regrades.id")),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), sa.CheckConstraint(f"kind IN ({kinds})"), nullable=False),
        sa.Column("student", sa.Text, nullable=False, index=True),
        sa.Column("assignment", sa.String(64), nullable=False),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer),
        sa.Column("points", sa.String(64)),
        sa.Column("moment", MOMENT),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("withdraws", sa.Integer, sa.ForeignKey("decisions.id")),
        sa.Column("author", sa.Text, sa.CheckConstraint("author <> ''"), nullable=False),
        sa.Column("reason", sa.Text, sa.CheckConstraint("reason <> ''"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    for table in APPEND_ONLY:
        _keep(table)


def _keep(table: str) -> None:
    """Let the database refuse to change or remove a row, whoever asks for it."""
    said = f"{table} is append-only: what happened stays"
    if op.get_context().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
    )


def downgrade() -> None:
    raise NotImplementedError("a gradebook never goes back: restore the copy made before")

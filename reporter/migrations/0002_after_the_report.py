"""What comes after a report: updates, attachments, known incidents, surges."""

import sqlalchemy as sa
from alembic import op

from reporter.database import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("next_news_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("key", name="uq_notice_key"),
    )
    op.create_index("ix_notice_closed_at", "notice", ["closed_at"])
    with op.batch_alter_table("report") as batch:
        batch.add_column(sa.Column("seen_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("solved_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("next_news_at", UTCDateTime(), nullable=True))
        batch.add_column(
            sa.Column("news_wanted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("desk_epoch", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("notice_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            "fk_report_notice_id_notice", "notice", ["notice_id"], ["id"], ondelete="SET NULL"
        )
    op.drop_index("ix_report_service", "report")
    op.create_index("ix_report_service_saved_at", "report", ["service", "saved_at"])
    with op.batch_alter_table("message") as batch:
        batch.add_column(
            sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("next_news_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_update_report_id_report", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_update_message_id_message", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_update"),
    )
    op.create_index("ix_update_report_id", "update", ["report_id"])
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_attachment_report_id_report", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_report_id", "attachment", ["report_id"])
    op.create_table(
        "follower",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name="fk_follower_notice_id_notice", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name="fk_follower_message_id_message",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_follower"),
        sa.UniqueConstraint("notice_id", "contact", name="uq_follower_notice_id_contact"),
        sa.UniqueConstraint("token_hash", name="uq_follower_token_hash"),
    )
    op.create_table(
        "surge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_surge"),
    )
    op.create_index("ix_surge_service", "surge", ["service"])


def downgrade() -> None:
    for table in ("surge", "follower", "attachment", "update"):
        op.drop_table(table)
    with op.batch_alter_table("message") as batch:
        batch.drop_column("urgent")
    op.drop_index("ix_report_service_saved_at", "report")
    op.create_index("ix_report_service", "report", ["service"])
    with op.batch_alter_table("report") as batch:
        batch.drop_constraint("fk_report_notice_id_notice", type_="foreignkey")
        for column in (
            "notice_id",
            "desk_epoch",
            "news_wanted",
            "next_news_at",
            "solved_at",
            "seen_at",
        ):
            batch.drop_column(column)
    op.drop_table("notice")

"""The first tables.

From the first release on no migration is edited: what comes later is one more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("telling_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_alarm"),
    )
    op.create_table(
        "beat",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_beat"),
    )
    op.create_index("ix_beat_beat_at", "beat", ["beat_at"])
    op.create_table(
        "draft",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
    )
    op.create_index("ix_draft_updated_at", "draft", ["updated_at"])
    op.create_table(
        "heard_count",
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sort", name="pk_heard_count"),
    )
    op.create_table(
        "heard_once",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_heard_once"),
    )
    op.create_index("ix_heard_once_heard_at", "heard_once", ["heard_at"])
    op.create_table(
        "last_done",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_last_done"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_told_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_reports", sa.Integer(), nullable=False),
        sa.Column("erased_followers", sa.Integer(), nullable=False),
        sa.Column("causes_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("key", name="uq_notice_key"),
    )
    op.create_index("ix_notice_closed_at", "notice", ["closed_at"])
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email", name="uq_staff_email"),
        sa.UniqueConstraint("name", name="uq_staff_name"),
    )
    op.create_table(
        "surge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("normal", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_surge"),
    )
    op.create_index("ix_surge_service", "surge", ["service"])
    op.create_table(
        "tally",
        sa.Column("quota", sa.String(length=20), nullable=False),
        sa.Column("client", sa.String(length=16), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("quota", "client", "minute", name="pk_tally"),
    )
    op.create_index("ix_tally_minute", "tally", ["minute"])
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("draft_id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=16), server_default=sa.text("''"), nullable=False),
        sa.Column("number_in_service", sa.Integer(), server_default="0", nullable=False),
        sa.Column("severity", sa.Integer(), server_default="4", nullable=False),
        sa.Column("summary", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("customer", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_told_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unseen_alarm_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("news_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("helpdesk_number", sa.String(), nullable=True),
        sa.Column("erase_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name="fk_report_notice_id_notice", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
        sa.UniqueConstraint("draft_id", name="uq_report_draft_id"),
        sa.UniqueConstraint("reference", name="uq_report_reference"),
        sa.UniqueConstraint("token_hash", name="uq_report_token_hash"),
    )
    op.create_index("ix_report_notice_id", "report", ["notice_id"])
    op.create_index("ix_report_saved_at", "report", ["saved_at"])
    op.create_index(
        "ix_report_service_saved_at",
        "report",
        ["service", "saved_at", "number_in_service", "source"],
    )
    op.create_index("ix_report_severity_saved_at", "report", ["severity", "saved_at"])
    op.create_index(
        "ix_report_solved_at", "report", ["solved_at", "seen_at", "severity", "saved_at"]
    )
    op.create_index("ix_report_solved_at_next_news_at", "report", ["solved_at", "next_news_at"])
    op.create_table(
        "staff_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("asks_password", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name="fk_staff_link_staff_id_staff", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_staff_link"),
        sa.UniqueConstraint("token_hash", name="uq_staff_link_token_hash"),
    )
    op.create_index("ix_staff_link_staff_id", "staff_link", ["staff_id"])
    op.create_table(
        "staff_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("call_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name="fk_staff_session_staff_id_staff", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_staff_session"),
        sa.UniqueConstraint("token_hash", name="uq_staff_session_token_hash"),
    )
    op.create_index("ix_staff_session_staff_id", "staff_session", ["staff_id"])
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("draft_id", sa.String(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("mime_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("original_sha256", sa.String(), nullable=False),
        sa.Column("for_desk", sa.Boolean(), nullable=False),
        sa.Column("holds_secret", sa.Boolean(), nullable=False),
        sa.Column("tells_position", sa.Boolean(), nullable=False),
        sa.Column("client", sa.String(length=16), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["draft.id"], name="fk_attachment_draft_id_draft", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_attachment_report_id_report", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_client_created_at", "attachment", ["client", "created_at"])
    op.create_index("ix_attachment_draft_id", "attachment", ["draft_id"])
    op.create_index("ix_attachment_report_id", "attachment", ["report_id"])
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=True),
        sa.Column("mime_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sent",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "form",
            sa.Enum(
                "full",
                "without_files",
                "stub",
                name="form",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            server_default="full",
            nullable=False,
        ),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("after_id", sa.Integer(), nullable=True),
        sa.Column("blocked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "trouble",
            sa.Enum(
                "relay",
                "recipient",
                name="trouble",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("alarm_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("whole", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["after_id"], ["message.id"], name="fk_message_after_id_message", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_message_report_id_report", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("mime_id", name="uq_message_mime_id"),
    )
    op.create_index("ix_message_after_id", "message", ["after_id"])
    op.create_index(
        "ix_message_alarm_from",
        "message",
        ["alarm_from"],
        sqlite_where=sa.text("alarm_from IS NOT NULL"),
        postgresql_where=sa.text("alarm_from IS NOT NULL"),
    )
    op.create_index(
        "ix_message_alarmed",
        "message",
        ["alarmed_at"],
        sqlite_where=sa.text("alarmed_at IS NOT NULL AND state <> 'sent' AND kind <> 'surge'"),
        postgresql_where=sa.text("alarmed_at IS NOT NULL AND state <> 'sent' AND kind <> 'surge'"),
    )
    op.create_index(
        "ix_message_claimable",
        "message",
        ["rank", "due_at", "id"],
        sqlite_where=sa.text("state = 'queued' AND NOT blocked"),
        postgresql_where=sa.text("state = 'queued' AND NOT blocked"),
    )
    op.create_index("ix_message_created_at", "message", ["created_at"])
    op.create_index(
        "ix_message_held",
        "message",
        ["claimed_by"],
        sqlite_where=sa.text("claimed_by IS NOT NULL"),
        postgresql_where=sa.text("claimed_by IS NOT NULL"),
    )
    op.create_index("ix_message_kind_created_at", "message", ["kind", "created_at"])
    op.create_index("ix_message_mailbox_created_at", "message", ["mailbox", "created_at"])
    op.create_index("ix_message_reference", "message", ["reference"])
    op.create_index("ix_message_report_id", "message", ["report_id"])
    op.create_index(
        "ix_message_troubled",
        "message",
        ["trouble", "recipient"],
        sqlite_where=sa.text("trouble IS NOT NULL"),
        postgresql_where=sa.text("trouble IS NOT NULL"),
    )
    op.create_index(
        "ix_message_unsent",
        "message",
        ["kind", "created_at"],
        sqlite_where=sa.text("state <> 'sent'"),
        postgresql_where=sa.text("state <> 'sent'"),
    )
    op.create_index(
        "ix_message_whole",
        "message",
        ["sent_at"],
        sqlite_where=sa.text("state = 'sent' AND cut_at IS NULL"),
        postgresql_where=sa.text("state = 'sent' AND cut_at IS NULL"),
    )
    op.create_table(
        "search_term",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column(
            "term",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_search_term_report_id_report", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "term", name="pk_search_term"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_term_term", "search_term", ["term"])
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "accepted",
                "deferred",
                "refused",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_attempt_message_id_message", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_message_id", "attempt", ["message_id"])
    op.create_table(
        "follower",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name="fk_follower_message_id_message",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name="fk_follower_notice_id_notice", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_follower"),
        sa.UniqueConstraint("notice_id", "contact", name="uq_follower_notice_id_contact"),
        sa.UniqueConstraint("token_hash", name="uq_follower_token_hash"),
    )
    op.create_index("ix_follower_message_id", "follower", ["message_id"])
    op.create_table(
        "update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column(
            "author",
            sa.Enum(
                "customer",
                "support",
                "service",
                name="author",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("next_news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_update_message_id_message", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name="fk_update_report_id_report", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_update"),
    )
    op.create_index("ix_update_message_id", "update", ["message_id"])
    op.create_index("ix_update_report_id_id", "update", ["report_id", "id"])


def downgrade() -> None:
    op.drop_table("update")
    op.drop_table("follower")
    op.drop_table("attempt")
    op.drop_table("search_term")
    op.drop_table("message")
    op.drop_table("attachment")
    op.drop_table("staff_session")
    op.drop_table("staff_link")
    op.drop_table("report")
    op.drop_table("tally")
    op.drop_table("surge")
    op.drop_table("staff")
    op.drop_table("notice")
    op.drop_table("last_done")
    op.drop_table("heard_once")
    op.drop_table("heard_count")
    op.drop_table("draft")
    op.drop_table("beat")
    op.drop_table("alarm")

"""Who support is, and the browsers that are signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from reporter.models.base import Base


class Staff(Base):
    """Somebody of support, who may sign in to the desk."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)  # in small letters
    password_hash: Mapped[str | None]  # scrypt, as Werkzeug writes it
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that is signed in. Without its row its cookie opens nothing."""

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]  # when something was last done with it
    expires_at: Mapped[datetime]
    browser: Mapped[str]  # in words, as in "Firefox, Linux"
    call_until: Mapped[datetime | None]  # while its person fills the form during calls


class StaffLink(Base):
    """A link that signs in once."""

    __tablename__ = "staff_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    asks_password: Mapped[bool]  # whether a new password is chosen with it
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

"""The extensions, bare: the factory gives each its application."""

from flask_alembic import Alembic
from flask_babel import Babel
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from reporter.delivery.smtp import RelayMail
from reporter.models import Base

mail = RelayMail()
csrf = CSRFProtect()
babel = Babel()
compress = Compress()
limiter = Limiter(key_func=get_remote_address, swallow_errors=True)
migrations = Alembic(metadatas=Base.metadata, run_mkdir=False, command_name="")

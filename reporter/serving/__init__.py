"""Processes: the web server, the supervisor of both halves, migrations, and a parent's death."""

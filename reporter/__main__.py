"""`python -m reporter` is the console script."""

from reporter.cli import main

main()

"""``python -m whiteline``."""

import sys

from whiteline.cli import main

sys.exit(main())

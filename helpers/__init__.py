"""The package that the chapters of the course "From Counts to Chat" share.

Importing it costs nothing: each module imports only what it needs, when it is imported.
A package of the same name exists on the public package index; ``MARKER`` tells ours from any other.
"""

import sys

if "ipykernel" in sys.modules:  # a notebook, before it loads torch
    from helpers.hardware import spare_the_neighbor

    spare_the_neighbor()

MARKER = "from-counts-to-chat"
__version__ = "0.1.0"

# The public address of the course. It stands here only; `python3 course.py address OWNER/REPO --tag TAG`
# changes it here and in every badge, link and bootstrap cell.
REPOSITORY = "OWNER/from-counts-to-chat"
RELEASE = "main"

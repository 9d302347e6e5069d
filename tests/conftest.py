"""Settings for all tests."""

import signal

# Started in the background of a shell (as some CI systems do), a process ignores Ctrl-C, and so do all its children. The
# tests of interruption need it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

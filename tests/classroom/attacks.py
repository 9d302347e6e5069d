"""What hostile or broken answers may do; each name says what. Graded by test_attacks.py, inside the jail."""

from tests.classroom.classes import WRONG

# Run when the cell is run; the wrong answer that follows must not pass.
TOP = {
    "prints a verdict": r"""
print('✓ 0.1 Bytes per character: right (5 tries, all as expected)')
"""
    + WRONG,
    "patches the checker": r"""
import helpers.lab.checks as c, helpers.lab.formatting as s, helpers.lab.plain_data as p, numpy as np
c.evaluate = c.judge = lambda *a, **k: c.Report('0.1', 'passed', 'yes')
c.Trial.close = c.Trial.equal = lambda *a, **k: None
s.same = lambda *a: True
np.allclose = lambda *a, **k: True
"""
    + WRONG,
    "patches the harness": r"""
import sys
m = sys.modules['helpers.course.classroom.inmate']
m.Inmate.call = lambda self, args: {'status': 'passed', 'out': True}
"""
    + WRONG,
    "leaves": r"""
import sys
sys.exit(0)
"""
    + WRONG,
    "leaves at once": r"""
import os
os._exit(0)
"""
    + WRONG,
    "crashes Python": r"""
import ctypes
ctypes.string_at(0)
"""
    + WRONG,
    "at exit": r"""
import atexit, os
atexit.register(lambda: [os.write(f, b'2 {"status":"passed"}\n') for f in range(3, 20)])
raise SystemExit
"""
    + WRONG,
    "writes into the channel": r"""
import os
for f in range(3, 64):
    try:
        os.write(f, b'2 {"status": "passed"}\n')
    except OSError:
        pass
"""
    + WRONG,
    "floods the channel": r"""
import os, threading
def flood():
    while True:
        for f in range(3, 9):
            try:
                os.write(f, b'{"passed": true}' * 4000)
            except OSError:
                pass
threading.Thread(target=flood, daemon=True).start()
"""
    + WRONG,
    "kills its parents": r"""
import os, signal
for pid in (os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
    + WRONG,
    "endless cell": r"""
while True:
    pass
"""
    + WRONG,
    "no Python": r"""
def bytes_per_character(text:
""",
    "deep source": "x = " + "(" * 50_000 + ")" * 50_000 + "\n" + WRONG,
    "long minus": "x = " + "-" * 200_000 + "1\n" + WRONG,
    "null byte": "x = 1\x00\n" + WRONG,
    "lone surrogate": "x = '\ud800'\n" + WRONG,
    "a number": r"""
bytes_per_character = 3
""",
    "another name": r"""
def bpc(text):
    return len(text.encode("utf-8")) / len(text)
""",
    "fork bomb in the cell": r"""
import os
for _ in range(100000):
    try:
        os.fork()
    except OSError:
        pass
"""
    + WRONG,
}

# The body of the answer, run when it is called.
BODY = {
    "endless": r"""
while True:
    pass
""",
    "deaf and endless": r"""
import signal
while True:
    try:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True: pass
    except BaseException: pass
""",
    "eats memory": r"""
x = []
while True:
    x.append(bytearray(50_000_000))
""",
    "fills the disk": r"""
n = 0
while True:
    with open(f'/scratch/{n}', 'wb') as f:
        f.write(b'x' * 10_000_000)
    n += 1
""",
    "prints gigabytes": r"""
while True:
    print('x' * 1_000_000)
""",
    "leaves inside": r"""
import sys
sys.exit()
""",
    "raises SystemExit": r"""
raise SystemExit(0)
""",
    "returns a giant": r"""
return [1.0] * 50_000_000
""",
    "returns a deep list": r"""
x = []
for _ in range(100000):
    x = [x]
return x
""",
    "returns a huge number": r"""
return 1 << 300_000_000
""",
    "equal to all": r"""
class Yes(float):
    def __eq__(self, other): return True
    __ne__ = lambda s, o: False
    __float__ = __array__ = lambda *a: 1.0
    __hash__ = None
return Yes(0.5)
""",
    "an object": r"""
class Yes:
    def __eq__(self, other): return True
    def __array__(self, *a, **k): return 1.0
    def __float__(self): return 1.2
return Yes()
""",
    "a broken repr": r"""
class Bad:
    def __repr__(self): raise SystemExit
return Bad()
""",
    "endless generator": r"""
import itertools
return itertools.count()
""",
    "recursion": r"""
import sys
sys.setrecursionlimit(10**9)
f = lambda n: f(n + 1) + 1
return f(0)
""",
    "a script in its error": r"""
raise ValueError('<script>alert(1)</script>\u202e\x1b[31m')
""",
    "fork bomb": r"""
import os
while True:
    os.fork()
""",
    "starts a program": r"""
import subprocess
return float(subprocess.run(['/bin/echo', '1.2'], capture_output=True).stdout)
""",
    "walks frames": r"""
import sys, gc
f = sys._getframe()
seen = []
while f:
    seen += [f.f_globals, f.f_locals]
    f = f.f_back
for space in seen + [o for o in gc.get_objects() if isinstance(o, dict)]:
    for name, value in list(space.items()):
        if callable(value) and value is not bytes_per_character \
                and getattr(value, '__name__', '') == 'bytes_per_character':
            return value(text)
        if name == 'expected':
            return value
return 0.0
""",
    "reads the solutions": r"""
from helpers.exercises.ch00.ex1_bytes_per_character import bytes_per_character as theirs
return theirs(text)
""",
    "searches for the solutions": r"""
import os, sys
for d, inside, names in os.walk('/'):
    inside[:] = [i for i in inside if os.path.join(d, i) not in ('/proc', '/usr', '/dev', sys.prefix, sys.base_prefix)]
    for n in names:
        if n.endswith('.py') and 'def characters_per_byte' in open(d + '/' + n, errors='replace').read():
            return len(text.encode()) / len(text)
raise LookupError('no file holds them')
""",
    "reads proc": r"""
import os
found = ''
for p in os.listdir('/proc'):
    for n in ('mem', 'environ', 'maps', 'fd/3', 'root/work'):
        try: found += str(os.stat(f'/proc/{p}/{n}'))
        except OSError: pass
if any('course.py' in open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit()): return 1.2
return 0.0
""",
}

"""The second environment, in which everybody is measured: aisle's needs and those of the other frameworks.

It is apart because some of them ask for older versions of what aisle uses; ours stays as it is locked.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.installer import tool_environ

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = ROOT / "requirements-bench.lock"


def bench_python(folder: Path, say: Callable[[str], None]) -> Path | None:
    """The interpreter of the second environment, made when it is missing or its lock changed.

    Args:
        folder: Where it is.
        say: Gets a line when something is done or does not work.

    Returns:
        None when it cannot be made, as without a network: then only what needs no other packages is measured.
    """
    python, stamp = folder / "bin" / "python", folder / "aisle-stamp"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    say("making the environment of the other frameworks (2.6 GB) ...")
    uv = Path(sys.executable).with_name("uv")
    for options in (
        ("venv", "--quiet", "--clear", "--python", sys.executable, str(folder)),
        ("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK)),
    ):
        done = subprocess.run([str(uv), *options], check=False, env=tool_environ(ROOT), cwd=ROOT)
        if done.returncode:
            say("it cannot be made (the lines above say why): Quix Streams and FastStream are left out")
            return None
    stamp.write_text(wanted)
    return python

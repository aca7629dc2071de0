"""The library ``transformers``, imported late, offline and quietly: for tokenizers and configurations alone."""

import os
from functools import cache
from typing import Any


@cache
def transformers() -> Any:
    """The module ``transformers``; it never looks beyond this machine.

    Without the first setting, a hub that cannot be reached costs 23 s per call, in spite of local files.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # unset, it warns whenever a process forks
    import transformers as module

    return module

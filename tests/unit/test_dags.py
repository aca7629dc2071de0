"""The Airflow DAGs: what they run exists, and Airflow's own loader parses them, if it is there."""

import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest

from tests.commands import parsed

DAGS = Path(__file__).parents[2] / "infra" / "airflow" / "aisle_dags.py"
_COMMAND = re.compile(r"^(?:\w+=\$\()?aisle (.+?)(?= \|| \|\||\)|$)", re.MULTILINE)


class Dag:
    """Airflow's, as far as the file asks for it."""

    now: "Dag | None" = None
    every: dict[str, "Dag"]

    def __init__(self, dag_id: str, *, params: dict[str, Any], **given: Any) -> None:
        self.params, self.given, self.tasks = params, given, list[Task]()
        Dag.every[dag_id] = self

    def __enter__(self) -> Self:
        Dag.now = self
        return self

    def __exit__(self, *_: object) -> None:
        Dag.now = None


class Task:
    """Airflow's BashOperator, likewise."""

    def __init__(self, *, task_id: str, bash_command: str, env: dict[str, str], **_: Any) -> None:
        self.name, self.command, self.env = task_id, bash_command, env
        self.before: list[str] = []
        assert Dag.now is not None
        Dag.now.tasks.append(self)

    def __rshift__(self, then: "Task") -> "Task":
        then.before.append(self.name)
        return then


@pytest.fixture
def dags(monkeypatch: pytest.MonkeyPatch) -> dict[str, Dag]:
    """What the file defines, by Airflow 3's names."""
    for name in ("airflow", "airflow.sdk", "airflow.providers.standard.operators.bash"):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            path = ".".join(parts[:length])
            if path not in sys.modules or not hasattr(sys.modules[path], "_ours"):
                module = ModuleType(path)
                vars(module).update(_ours=True, DAG=Dag, BashOperator=Task)
                monkeypatch.setitem(sys.modules, path, module)
    Dag.every = {}
    runpy.run_path(str(DAGS))
    return Dag.every


def commands(dag: Dag, task: Task) -> Iterator[list[str]]:
    """The words of every ``aisle`` command of a task, its variables filled in by the defaults of the DAG."""
    params = {"{{ params." + name + " }}": str(value) for name, value in dag.params.items()}
    values = {name: params.get(template, "given") for name, template in task.env.items()}
    for command in _COMMAND.findall(task.command):
        yield shlex.split(re.sub(r"\$\{?(\w+)(?:##\*/\})?", lambda found: values[found[1]], command))


def test_there_is_a_dag_for_each_of_the_three(dags: dict[str, Dag]) -> None:
    """Feedback to training; unseen rows scored; data to a model in service, in that order."""
    assert {"aisle_retrain", "aisle_score_unseen", "aisle_train"} == set(dags)
    order = [(task.name, task.before) for task in dags["aisle_train"].tasks]
    assert [("prepare", []), ("train", ["prepare"]), ("evaluate", ["train"]), ("promote", ["evaluate"])] == order
    assert [[], ["look_at_feedback"]] == [task.before for task in dags["aisle_retrain"].tasks]


def test_every_command_exists_with_its_options(dags: dict[str, Dag]) -> None:
    """A command that is renamed, or an option that goes, breaks nobody's schedule unseen."""
    found = [words for dag in dags.values() for task in dag.tasks for words in commands(dag, task)]
    names = [parsed(words).command_path for words in found]
    assert [
        "aisle retrain status",
        "aisle retrain now",
        "aisle score",
        "aisle data check",
        "aisle data split",
        "aisle train",
        "aisle evaluate",
        "aisle models promote",
    ] == names


def test_params_reach_commands_only_by_the_environment(dags: dict[str, Dag]) -> None:
    """Whoever may start a DAG with params of his own cannot run another command by them."""
    for dag in dags.values():
        for task in dag.tasks:
            assert "{{" not in task.command
            used = set(re.findall(r"params\.(\w+)", " ".join(task.env.values())))
            assert used <= set(dag.params)
            for name in task.env:
                assert name in task.command


def test_no_run_overtakes_another_and_none_is_made_up_for(dags: dict[str, Dag]) -> None:
    """After a week away there is one run, not a thousand."""
    assert [(1, False)] * 3 == [(dag.given["max_active_runs"], dag.given["catchup"]) for dag in dags.values()]


@pytest.mark.skipif(find_spec("airflow") is None, reason="Airflow is not installed here")
def test_airflows_own_loader_parses_them() -> None:
    """Where there is one."""
    from airflow.models import DagBag  # type: ignore[import-not-found] # as the reason says

    bag = DagBag(str(DAGS.parent))
    assert {} == bag.import_errors
    assert 3 == len(bag.dags)

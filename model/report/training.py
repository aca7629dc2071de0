"""The report of a training out of what the training has at hand when it ends."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import Manifest, StageFacts
from model.cascade import Answers, Cascade
from model.data.labelled import LabelledData
from model.evaluation import Evaluation
from model.report.build import HeldOut, build_report
from model.report.data_card import describe_data
from model.report.rivals import Rival
from model.report.schema import Setting, StageReport, TrainingReport
from model.report.speed import rows_per_s
from model.rows import MODALITIES, Rows
from model.stages import Stage


def report_training(  # noqa: PLR0913 - one argument a fact
    manifest: Manifest,
    evaluation: Evaluation,
    data: LabelledData,
    test: NDArray[np.int64],
    truth: NDArray[np.int64],
    answers: Answers,
    *,
    cascade: Cascade,
    path: Path,
    rivals: Sequence[Rival] = (),
    languages: Sequence[str] = (),
    private: NDArray[np.bool_] | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
    command: str = "",
) -> TrainingReport:
    """Put the report together.

    Args:
        manifest: Of the bundle that is about to be sealed.
        evaluation: Of the answers.
        data: All rows.
        test: Which of them measure.
        truth: Class index of each row of the data.
        answers: The cascade's, of the test rows.
        cascade: As it will be served.
        path: The bundle's directory, whose stages are there already.
        rivals: Other models' answers to the test rows.
        languages: ISO 639-1 code of each test row, '' where unknown; empty when nobody asked.
        private: Which test rows the report is not to quote; None: it may quote all.
        settings: What the training was told, by name.
        command: What repeats it.
    """
    products = data.rows.take(test)
    stages = {stage.name: stage for stage in cascade.stages}
    names = [*manifest.stages, "no stage"]  # `PRIOR` is -1, the last of them
    return build_report(
        manifest,
        evaluation,
        HeldOut(
            products,
            answers.probabilities,
            truth[test],
            data.keys[test],
            languages=languages,
            decided_by=[names[number] for number in answers.stage.tolist()],
            private=private,
        ),
        data=describe_data(manifest.data, data.rows, data.codes, data.keys, languages),
        stages=[_stage(facts, stages.get(facts.name), products, path) for facts in manifest.tried],
        rivals=rivals,
        settings={name: _shown(value) for name, value in settings.items() if value is not None},
        command=command,
    )


def _shown(value: Any) -> Setting:
    """An option's value; of a path only the last part, as folders of this machine are nobody's business."""
    return value if isinstance(value, Setting) else getattr(value, "name", str(value))


def _stage(facts: StageFacts, stage: Stage | None, products: Rows, path: Path) -> StageReport:
    """A stage as it was tried and, where it was kept, its speed and size."""
    known = StageReport(name=facts.name, kept=facts.kept, why=facts.why, accuracy=facts.accuracy)
    if stage is None:
        return known
    files = [file for file in (path / facts.name).rglob("*") if file.is_file()]
    return known.model_copy(
        update={
            "reads": [modality for modality in MODALITIES if modality in stage.reads],
            "asked_share": facts.share,
            "rows_per_s": rows_per_s(stage, products),
            "size_bytes": sum(file.stat().st_size for file in files),
        }
    )

"""The gate: a new model goes into service only if it is better than the champion, on rows that neither learned from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.bundle import read_manifest
from model.chance import chance_of
from model.data.labelled import LabelledData
from model.decision import Compared, Decision, Pair, RecallLoss
from model.gate_contest import Contest

SIGNIFICANT = 0.025
"""Of a one-sided test: what lies above the middle 95 %, as the bootstrap's interval has it."""

_PRIOR_MENDED, _PRIOR_WRONG = 2, 20
"""How many mistakes any other model mends, where hardly a golden row is wrong that could tell: a tenth, of so many."""


class GateRules(Protocol):
    """What is asked of a new model; the settings of these names say what they are. None: nothing."""

    gate_f1_gain: float | None
    gate_f1_loss: float
    gate_recall_loss: float | None
    gate_recall_chance: float
    gate_class_rows: int
    gate_ece_loss: float | None
    gate_ece_rows: int
    gate_speed_share: float | None
    gate_size_factor: float | None


def judge(  # noqa: PLR0913 - one argument a thing that is compared
    champion: Path | None,
    challenger: Path,
    data: LabelledData,
    golden: NDArray[np.bool_],
    rules: GateRules,
    verdicts: NDArray[np.bool_] | None = None,
    *,
    best: float | None = None,
) -> Decision:
    """Decide whether a new model may take the champion's place. Imports TensorFlow.

    Rows that one of the two has learned from never count. A category that a model does not know is one that it gets
    wrong.

    Args:
        champion: The bundle in service; None: there is none, and any other is better.
        challenger: The new bundle.
        data: The training set that it was made of.
        golden: Which rows are the golden set.
        rules: What is asked.
        verdicts: Which rows people's verdicts made; None: all that are not golden.
        best: The best weighted F1 that a model in service ever had on these golden rows: what each one may lose against
            the one before must not add up. None: not known.

    Raises:
        BundleInvalid: A bundle is damaged.
        GoldenMismatch: A bundle answers otherwise than when it was trained.
    """
    name = read_manifest(challenger).version
    if champion is None:
        return Decision(passed=True, reasons=["there is no champion"], champion=None, challenger=name)
    contest = Contest(champion, challenger, data)
    said = ~golden if verdicts is None else verdicts & ~golden
    on_golden, on_verdicts = contest.compare(golden), contest.compare(said)
    ece = contest.ece(golden) if rules.gate_ece_loss is not None else None
    losses = [] if rules.gate_recall_loss is None else contest.losses(golden, said, rules)
    speed = contest.rows_per_s(golden) if rules.gate_speed_share is not None else None
    broken = [
        *_not_better(on_golden, on_verdicts, rules),
        *_below_best(on_golden, best, rules),
        *(
            f"{_named(one)}: recall {one.before:.3f} → {one.after:.3f} on {one.rows:,} rows, {one.part}; "
            f"it may lose {rules.gate_recall_loss:.3f}"
            for one in losses
        ),
        *_calibration(ece, on_golden.rows, rules),
        *_cost(speed, contest.size_bytes, rules),
    ]
    return Decision(
        passed=not broken,
        reasons=broken or [_better(on_golden, on_verdicts)],
        champion=contest.versions[0],
        challenger=name,
        golden=on_golden,
        verdicts=on_verdicts,
        losses=losses,
        ece=ece,
        rows_per_s=speed,
        size_bytes=contest.size_bytes,
    )


def is_better(verdicts: Compared, golden: Compared) -> bool:
    """Whether a model is better on held-out verdicts beyond chance.

    By the bootstrap, and by the signs of the titles: the bootstrap alone calls three rows of three significant, as each
    draw of them is as good. And beyond what any other model would mend: people correct what the champion has wrong, so
    that nearly all of their verdicts can only be mended. How many of its mistakes another model mends by the way, the
    golden rows say.
    """
    if verdicts.scores is None:
        return False
    by_the_way = (golden.mended + _PRIOR_MENDED) / (golden.wrong + _PRIOR_WRONG)
    learned = chance_of(verdicts.mended, verdicts.wrong, by_the_way) < SIGNIFICANT
    return learned and verdicts.scores.weighted_f1_difference.low > 0 and verdicts.chance < SIGNIFICANT


def _not_better(golden: Compared, verdicts: Compared, rules: GateRules) -> Iterator[str]:
    if golden.scores is None:
        yield "there is no golden row that neither model has learned from"
    elif rules.gate_f1_gain is not None and golden.gain < rules.gate_f1_gain:
        if golden.gain < -rules.gate_f1_loss:
            yield f"worse on the golden set by more than {rules.gate_f1_loss:g}: {_said(golden)}"
        elif not is_better(verdicts, golden):
            yield (
                f"better by {rules.gate_f1_gain:g} neither on the golden set ({_said(golden)}), "
                f"nor beyond chance on held-out verdicts ({_said(verdicts)})"
            )


def _below_best(golden: Compared, best: float | None, rules: GateRules) -> Iterator[str]:
    if best is None or golden.scores is None:
        return
    if (now := golden.scores.own_weighted_f1) < best - rules.gate_f1_loss:
        yield f"weighted F1 of {now:.4f} on the golden set, where a former champion had {best:.4f}"


def _named(loss: RecallLoss) -> str:
    return loss.code if loss.label == loss.code else f"{loss.label} ({loss.code})"


def _better(golden: Compared, verdicts: Compared) -> str:
    return f"golden set: {_said(golden)}; held-out verdicts: {_said(verdicts)}"


def _said(compared: Compared) -> str:
    scores = compared.scores
    if scores is None:
        return "no rows"
    between = scores.weighted_f1_difference
    return (
        f"weighted F1 {scores.weighted_f1:.4f} → {scores.own_weighted_f1:.4f} on {compared.rows:,} rows, "
        f"difference {between.low:+.4f} to {between.high:+.4f}, {compared.mended:,} titles mended and "
        f"{compared.broken:,} broken"
    )


def _calibration(ece: Pair | None, rows: int, rules: GateRules) -> Iterator[str]:
    if ece is None or rules.gate_ece_loss is None or rows < rules.gate_ece_rows:
        return
    if ece.after - ece.before > rules.gate_ece_loss:
        yield f"its confidence is worse calibrated: {ece.before:.3f} → {ece.after:.3f} on {rows:,} golden rows"


def _cost(speed: Pair | None, size: Pair, rules: GateRules) -> Iterator[str]:
    if speed is not None and rules.gate_speed_share is not None and speed.after < rules.gate_speed_share * speed.before:
        yield f"too slow: {speed.before:,.0f} → {speed.after:,.0f} rows a second"
    if rules.gate_size_factor is not None and size.after > rules.gate_size_factor * size.before:
        yield f"too large: {size.before / 1e6:,.1f} → {size.after / 1e6:,.1f} MB"

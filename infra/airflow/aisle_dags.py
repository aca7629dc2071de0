"""Airflow DAGs for those who orchestrate there: copy this file into the DAG folder, or point Airflow at this one.

Each task is a command of ``aisle``, which has to be on the workers' PATH with its settings (``AISLE_*``) in their
environment. What may be set for a run are its params, files by their whole paths. They reach commands by variables of
the environment, never as a part of their text. For Airflow 2.9 and 3; nothing of aisle imports this file.
"""

from datetime import UTC, datetime, timedelta

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

SKIPPED = 99  # the exit status by which a task says that there is nothing to do

COMMON = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["aisle"],
}


def aisle(task_id, command, **variables):
    """A task that runs commands; the variables are templates."""
    return BashOperator(
        task_id=task_id,
        bash_command="set -euo pipefail\n" + command.strip() + "\n",
        env=variables,
        append_env=True,
        skip_on_exit_code=SKIPPED,
        execution_timeout=timedelta(hours=6),
    )


# The retraining worker looks at its triggers by itself. This is for those who switch them off (AISLE_RETRAIN_*=none)
# and let Airflow say when; the worker still does the work.
with DAG(
    "aisle_retrain",
    description="Look at the feedback, and have a model trained when there is enough that is new.",
    schedule="0 * * * *",
    params={"new_rows": 100},
    **COMMON,
):
    look = aisle(
        "look_at_feedback",
        """
new=$(aisle retrain status --json | python3 -c 'import json, sys
print((json.load(sys.stdin)["figures"] or {}).get("new_rows", 0))')
echo "$new contents have a new verdict, $NEW_ROWS are asked for"
test "$new" -ge "$NEW_ROWS" || exit 99
""",
        NEW_ROWS="{{ params.new_rows }}",
    )
    # A model that the gate refuses (3) is no failure: the champion stays, and the run says why.
    train_now = aisle(
        "train", 'aisle retrain now --wait --by airflow --why "$WHY" || test $? -eq 3', WHY="DAG run {{ run_id }}"
    )
    look >> train_now

# The part "unseen" of `aisle data split`: rows that no model has learned from.
with DAG(
    "aisle_score_unseen",
    description="Send 50 rows that were never sent, and compare the answers with their categories.",
    schedule="*/2 * * * *",
    params={"data": "/srv/aisle/parts/unseen.csv", "min_accuracy": 0.7},
    **COMMON,
):
    aisle(
        "score",
        'aisle score "$DATA" --rows 50 --min-accuracy "$MIN_ACCURACY"',
        DATA="{{ params.data }}",
        MIN_ACCURACY="{{ params.min_accuracy }}",
    )

with DAG(
    "aisle_train",
    description="Prepare data, train, evaluate, and promote what is good enough.",
    schedule=None,
    params={"data": "/srv/aisle/products.csv", "parts": "/srv/aisle/parts", "min_weighted_f1": 0.75},
    **COMMON,
):
    prepare = aisle(
        "prepare",
        'aisle data check "$DATA"\naisle data split "$DATA" --out "$PARTS" --force',
        DATA="{{ params.data }}",
        PARTS="{{ params.parts }}",
    )
    # The last line that a task writes is what the next one gets: here the bundle.
    fit = aisle(
        "train",
        """
aisle train "$PARTS"/train.* --no-promote --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["bundle"])'
""",
        PARTS="{{ params.parts }}",
    )
    measure = aisle(
        "evaluate",
        """
aisle evaluate "$BUNDLE" "$PARTS"/test.* --json | python3 -c 'import json, os, sys
found = json.load(sys.stdin)["weighted_f1"]
print("weighted F1", found)
sys.exit(found < float(os.environ["MIN_WEIGHTED_F1"]))'
""",
        BUNDLE="{{ ti.xcom_pull(task_ids='train') }}",
        PARTS="{{ params.parts }}",
        MIN_WEIGHTED_F1="{{ params.min_weighted_f1 }}",
    )
    promote = aisle(
        "promote",
        'aisle models promote "${BUNDLE##*/}" --by airflow --why "$WHY"',
        BUNDLE="{{ ti.xcom_pull(task_ids='train') }}",
        WHY="DAG run {{ run_id }}",
    )
    prepare >> fit >> measure >> promote

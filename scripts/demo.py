"""``aisle demo``: all of aisle on real products, live."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from infra.settings import Settings
    from infra.stack import Stack
    from model.data.dataset import ProductRow
    from scripts.demo_figures import Figures
    from scripts.demo_narrator import Narrator

_ANSWERS_WITHIN_S = 120.0
_ARCHIVED_WITHIN_S = 60.0
_BROKEN = (
    b"this is not JSON",
    b'{"product_id": "without-content"}',
    b'{"product_id": "title-as-list", "title": ["Soupe", "de", "poisson"]}',
)


@click.command()
@click.option("--once", is_flag=True, help="End after the summary; exit 0 only if the sums agree.")
@click.option("--rate", default=200.0, show_default=True, type=click.FloatRange(1), help="Products a second.")
def command(once: bool, rate: float) -> None:
    """Start everything, train on real products, classify others live.

    The first start downloads Kafka and trains the starter model; later ones take seconds. Afterwards
    aisle stays up for you to try, until Ctrl-C.
    """
    from rich.console import Console

    from infra.settings import load_settings
    from infra.stack import Stack, run_until_stopped
    from scripts.demo_narrator import Narrator
    from scripts.errors import SumsDisagree

    stay = not once and sys.stdout.isatty()
    settings = _on_a_free_port(load_settings())
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    console.print("aisle demo: real products through a real broker", style="bold")
    narrator = Narrator()
    stack = Stack(settings, gateway=stay, on_event=narrator)
    agrees = asyncio.run(
        run_until_stopped(stack, lambda: _show(settings, stack, narrator, console, rate=rate, stay=stay))
    )
    if agrees is False:
        raise SumsDisagree("The sums do not agree.")


async def _show(
    settings: "Settings", stack: "Stack", narrator: "Narrator", console: "Console", *, rate: float, stay: bool
) -> bool:
    from scripts.demo_figures import Figures
    from scripts.demo_view import shown, summary

    await _train_if_needed(settings, narrator)
    await narrator.ready("classify")
    rows = _held_out(settings)
    figures = Figures(total=len(rows) + len(_BROKEN))
    console.print(
        f"{len(rows):,} products that the model has not seen, and {len(_BROKEN)} broken records", style="bold"
    )
    async with _following(stack.endpoints.kafka_bootstrap, figures), shown(figures, console):
        await _send(stack.endpoints.kafka_bootstrap, rows, figures, rate)
        complete = await _until(lambda: figures.complete, _ANSWERS_WITHIN_S)
    documents = await _count_items(settings, stack, figures)
    console.print(summary(figures, documents))
    agrees = complete and documents == len(figures.sent) == len(figures.predicted) + len(figures.dead)
    console.print("the sums agree" if agrees else "the sums do not agree", style="bold green" if agrees else "bold red")
    if stay:
        await narrator.ready("gateway")
        console.print("\nLook at them, and correct what is wrong, in a browser:")
        console.print(f"  {await _page(settings, stack)}", soft_wrap=True)  # a link with a line break leads nowhere
        console.print(f"Kafka answers at {stack.endpoints.kafka_bootstrap}. In another terminal try:")
        console.print('  aisle classify "Velouté de potiron"\n  aisle watch\n  aisle replay FILE\nCtrl-C ends it.')
        await stack.wait()
    return agrees


def _on_a_free_port(settings: "Settings") -> "Settings":
    """The same; where another program has the gateway's port, with another one."""
    from infra.local.ports import any_free_port, is_free

    wanted = settings.gateway_port
    return settings if wanted and is_free(wanted) else settings.model_copy(update={"gateway_port": any_free_port()})


async def _page(settings: "Settings", stack: "Stack") -> str:
    """Where the pages are; while nobody has an account, the link by which the first one is made."""
    from infra.store import Store
    from workers.gateway.accounts.gatekeeper import Accounts

    store = Store(stack.endpoints.mongodb_uri, settings.mongodb_database)
    try:
        link = await Accounts(store, settings).first_link()
    finally:
        store.close()
    return link or settings.gateway_url or f"http://localhost:{settings.gateway_port}"


async def _train_if_needed(settings: "Settings", narrator: "Narrator") -> None:
    from infra.process import Launch, module, settings_variables
    from infra.supervisor import Child, Supervisor
    from model.champion import read_champion

    if settings.model is not None or read_champion(settings.data_dir / "models") is not None:
        return
    arguments = ("train", str(_starter_data()), "--theme-column", "category_group", "--name", "starter")
    # The first prediction does not wait for MLflow's seconds; whoever opens its page finds the model all the same.
    launch = Launch(module("scripts", *arguments), settings_variables(settings) | {"AISLE_MLFLOW": "false"})
    supervisor = Supervisor(narrator)
    try:
        await supervisor.start([Child("training", lambda: launch, step=True)])
    finally:
        await supervisor.stop()


def _starter_data() -> Path:
    import model

    return Path(model.__file__).parent / "data" / "openfoodfacts_fr" / "openfoodfacts_fr.csv"


def _held_out(settings: "Settings") -> list["ProductRow"]:
    """The starter products that the champion was not trained on."""
    import numpy as np

    from model.bundle import SEEN_KEYS
    from model.champion import find_bundle
    from model.data.cleaning import clean_description, clean_title
    from model.data.dataset import iter_products
    from model.data.labelled import row_key

    bundle = find_bundle(settings.model, settings.data_dir / "models")
    seen = set(np.load(bundle / SEEN_KEYS).tolist())
    return [
        row
        for row in iter_products(_starter_data())
        if row_key(clean_title(row.title), clean_description(row.description)) not in seen
    ]


@asynccontextmanager
async def _following(bootstrap: str, figures: "Figures") -> AsyncIterator[None]:
    """Take answers in while the context lasts; positions are at the topics' ends before it begins."""
    from infra.kafka.clients import reader_client, records
    from schemas.topics import PREDICTIONS_OUT, PRODUCTS_DLQ

    async def follow(reader: Any) -> None:
        async for record in records(reader):
            figures.note(record)

    async with reader_client(bootstrap, PREDICTIONS_OUT, PRODUCTS_DLQ, from_start=False) as reader:
        for partition in reader.assignment():
            await reader.position(partition)
        task = asyncio.create_task(follow(reader))
        try:
            yield
        finally:
            task.cancel()


async def _send(bootstrap: str, rows: list["ProductRow"], figures: "Figures", rate: float) -> None:
    from time import monotonic

    from infra.kafka.clients import producer_client
    from schemas.headers import EVENT_ID
    from schemas.ids import cloudevent_id
    from schemas.topics import PRODUCTS_IN
    from streams.replay.file import FileEvents, publish

    events = FileEvents.of(_starter_data())
    async with producer_client(bootstrap) as producer:
        await publish(producer, figures.noting(rows, events), events, rate=rate)
        for number, value in enumerate(_BROKEN):
            event_id = cloudevent_id("urn:aisle:demo", str(number))
            figures.sent[event_id] = monotonic()
            await producer.send_and_wait(PRODUCTS_IN, value, headers=[(EVENT_ID, event_id.encode())])


async def _count_items(settings: "Settings", stack: "Stack", figures: "Figures") -> int:
    """Items of this run in the store, once the archive has caught up or its time is over."""
    from infra.store import ITEMS, Store

    store = Store(stack.endpoints.mongodb_uri, settings.mongodb_database)
    answered = [{"prediction": {"$exists": True}}, {"dead_letter": {"$exists": True}}]
    query = {"_id": {"$in": list(figures.sent)}, "$or": answered}
    count = 0

    async def archived() -> bool:
        nonlocal count
        count = await store.collection(ITEMS).count_documents(query)
        return count == len(figures.sent)

    try:
        await _until(archived, _ARCHIVED_WITHIN_S)
    finally:
        store.close()
    return count


async def _until(condition: Any, within_s: float) -> bool:
    """Whether the condition came true in time."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                met = condition()
                if await met if asyncio.iscoroutine(met) else met:
                    return True
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False

"""How the demo looks: a live picture on a terminal, a line now and then elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.demo_figures import Figures, Seen

WIDTH: Final = 80
_LINE_EVERY_S: Final = 2.0


@asynccontextmanager
async def shown(figures: Figures, console: Console) -> AsyncIterator[None]:
    """Show the figures while the context lasts."""
    if console.is_terminal:
        with Live(get_renderable=lambda: picture(figures), console=console, refresh_per_second=8):
            yield
        return
    lines = asyncio.create_task(_lines(figures, console))
    try:
        yield
    finally:
        lines.cancel()


async def _lines(figures: Figures, console: Console) -> None:
    while True:
        await asyncio.sleep(_LINE_EVERY_S)
        console.print(line(figures))


def line(figures: Figures) -> str:
    """The figures in one line."""
    return (
        f"{len(figures.predicted):,} of {figures.total:,} classified, {len(figures.dead)} dead letters, "
        f"{figures.rate:.0f}/s, p50 {figures.latency_ms(0.5):.0f} ms, agreement {figures.agreement:.1%}"
    )


def picture(figures: Figures) -> RenderableType:
    """The figures as a panel, 80 columns wide."""
    numbers = Table.grid(padding=(0, 2))
    numbers.add_row(
        _figure(f"{len(figures.predicted):,}", "classified"),
        _figure(f"{figures.rate:.0f}/s", ""),
        _figure(f"{figures.latency_ms(0.5):.0f} ms", "p50"),
        _figure(f"{figures.latency_ms(0.95):.0f} ms", "p95"),
        _figure(str(len(figures.dead)), "dead letters", "red" if figures.dead else "green"),
        _figure(f"{figures.agreement:.1%}", "agree"),
    )
    progress = Table.grid()  # a bar on its own ends no line
    progress.add_row(
        ProgressBar(total=max(figures.total, 1), completed=len(figures.predicted) + len(figures.dead), width=WIDTH - 4)
    )
    parts: list[RenderableType] = [numbers, progress, _answers(figures.last)]
    parts += [Text(f"dead letter: {why}"[: WIDTH - 6], style="red", overflow="ellipsis") for why in figures.reasons]
    return Panel(Group(*parts), title="products.in → predictions.out", width=WIDTH, border_style="cyan")


def _figure(value: str, name: str, style: str = "bold") -> Text:
    return Text.assemble((value, style), " ", (name, "dim"))


def _answers(answers: Iterable[Seen]) -> Table:
    table = Table(box=None, width=WIDTH - 4, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("product", ratio=5, no_wrap=True, overflow="ellipsis")
    table.add_column("category", ratio=4, no_wrap=True, overflow="ellipsis")
    table.add_column("sure", width=5, justify="right")
    table.add_column("", width=8)
    for seen in answers:
        table.add_row(seen.title, seen.label, f"{seen.confidence:.0%}", _mark(seen))
    return table


def _mark(seen: Seen) -> Text:
    if seen.needs_review:
        return Text("review", style="yellow")
    return Text("✓", style="green") if seen.label == seen.known else Text("✗", style="red")


def summary(figures: Figures, documents: int) -> Table:
    """The closing sums."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="bold")
    table.add_column()
    table.add_row(f"{len(figures.sent):,}", "distinct events in")
    table.add_row(f"{len(figures.predicted):,}", "predicted")
    table.add_row(f"{len(figures.dead):,}", "dead-lettered")
    table.add_row(f"{documents:,}", "items in MongoDB")
    table.add_row(f"{figures.agreement:.1%}", "of the predictions name the known category")
    return table

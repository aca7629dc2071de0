"""Outlines of things: a book, a pool, a doll, none of them like the real one."""

from collections.abc import Callable, Mapping
from typing import Final

from model.synthetic.pencil import Pencil


def _book(p: Pencil) -> None:
    left = p.between(0.12, 0.26)
    p.box(left, 0.05, 1 - left, 0.95)
    p.box(left, 0.05, left + 0.06, 0.95, 2)
    for line in range(1 + int(p.between(0, 3))):
        p.box(left + 0.15, 0.2 + line * 0.12, 1 - left - p.between(0.1, 0.3), 0.26 + line * 0.12, 1)
    p.disc(0.4, 0.6, 0.65, 0.85, 1)


def _spines(p: Pencil) -> None:
    count = 4 + int(p.between(0, 4))
    for book in range(count):
        p.box(book / count, p.between(0.05, 0.3), (book + 0.9) / count, 0.95, book % 3)


def _case(p: Pencil) -> None:
    p.box(0.16, 0.04, 0.84, 0.96, 0, 0.02)
    p.box(0.16, 0.04, 0.84, 0.16, 2)
    p.disc(0.3, 0.3, p.between(0.55, 0.75), 0.75, 1)


def _pad(p: Pencil) -> None:
    p.disc(0.0, 0.3, 0.45, 0.9)
    p.disc(0.55, 0.3, 1.0, 0.9)
    p.box(0.2, 0.3, 0.8, 0.65, 0, 0.1)
    p.disc(0.25, 0.4, 0.38, 0.53, 2)
    p.disc(0.62, 0.4, 0.75, 0.53, 1)


def _console(p: Pencil) -> None:
    p.box(0.0, p.between(0.28, 0.36), 1.0, 0.72, 0, 0.08)
    p.box(0.24, 0.36, 0.76, 0.64, 2)
    p.disc(0.06, 0.44, 0.18, 0.56, 1)
    p.disc(0.82, 0.44, 0.94, 0.56, 1)


def _cable(p: Pencil) -> None:
    points = [(0.05 + step * 0.1, p.between(0.3, 0.7)) for step in range(10)]
    p.line(*points, width=0.07)
    p.box(0.0, 0.4, 0.14, 0.6, 0)


def _person(p: Pencil) -> None:
    p.disc(0.36, 0.02, 0.64, 0.3, 1)
    p.area((0.34, 0.3), (0.66, 0.3), (0.74, 0.65), (0.26, 0.65))
    p.line((0.36, 0.36), (p.between(0.1, 0.25), p.between(0.2, 0.6)), width=0.07)
    p.line((0.64, 0.36), (p.between(0.75, 0.95), p.between(0.2, 0.6)), width=0.07)
    p.line((0.42, 0.65), (0.36, 0.95), width=0.09)
    p.line((0.58, 0.65), (0.64, 0.95), width=0.09)


def _crowd(p: Pencil) -> None:
    for soldier in range(3 + int(p.between(0, 3))):
        left = soldier * 0.18
        p.disc(left, 0.85, left + 0.2, 0.95, 2)
        p.disc(left + 0.06, 0.35, left + 0.15, 0.45, 1)
        p.box(left + 0.05, 0.45, left + 0.16, 0.88)


def _card(p: Pencil) -> None:
    p.box(0.2, 0.04, 0.8, 0.96, 0, 0.05)
    p.box(0.26, 0.16, 0.74, 0.52, 1)
    p.line((0.28, 0.64), (0.72, 0.64), width=0.02)
    p.line((0.28, 0.74), (p.between(0.5, 0.72), 0.74), width=0.02)


def _cards(p: Pencil) -> None:
    for card in range(3):
        left = 0.02 + card * 0.3
        p.box(left, 0.2 + card * 0.04, left + 0.34, 0.72 + card * 0.04, (card + 1) % 3, 0.03)
        p.disc(left + 0.08, 0.35, left + 0.26, 0.55, 0)


def _vehicle(p: Pencil) -> None:
    p.box(0.02, 0.45, 0.98, 0.7, 0, 0.08)
    p.area((0.2, 0.45), (0.32, p.between(0.22, 0.3)), (0.7, 0.25), (0.82, 0.45), colour=1)
    p.disc(0.12, 0.6, 0.34, 0.82, 2)
    p.disc(0.66, 0.6, 0.88, 0.82, 2)


def _drone(p: Pencil) -> None:
    p.line((0.15, 0.2), (0.85, 0.8))
    p.line((0.85, 0.2), (0.15, 0.8))
    for left, top in ((0.02, 0.1), (0.7, 0.1), (0.02, 0.7), (0.7, 0.7)):
        p.disc(left, top, left + 0.28, top + 0.12, 1)
    p.box(0.35, 0.4, 0.65, 0.62, 0, 0.05)


def _board(p: Pencil) -> None:
    p.box(0.05, 0.05, 0.95, 0.95, 2)
    for row in range(6):
        for column in range(6):
            p.box(0.08 + column * 0.14, 0.08 + row * 0.14, 0.22 + column * 0.14, 0.22 + row * 0.14, (row + column) % 2)


def _blocks(p: Pencil) -> None:
    for block in range(6):
        left, top = p.between(0, 0.75), p.between(0.3, 0.75)
        p.box(left, top, left + 0.25, top + 0.22, block % 3)


def _ball(p: Pencil) -> None:
    p.disc(0.1, 0.1, 0.9, 0.9)
    p.disc(0.35, 0.3, 0.65, 0.6, 1)
    p.line((0.14, 0.4), (0.86, p.between(0.5, 0.7)), width=0.03)


def _garment(p: Pencil) -> None:
    p.area((0.3, 0.08), (0.7, 0.08), (0.95, 0.35), (0.78, 0.45), (0.7, 0.92), (0.3, 0.92), (0.22, 0.45), (0.05, 0.35))
    p.disc(0.4, 0.02, 0.6, 0.16, 1)
    p.disc(0.4, p.between(0.4, 0.55), 0.6, 0.7, 2)


def _carriage(p: Pencil) -> None:
    p.area((0.1, 0.35), (0.8, 0.35), (0.7, 0.68), (0.25, 0.68))
    p.disc(0.08, 0.1, 0.5, 0.55, 1)
    p.line((0.8, 0.35), (0.98, p.between(0.1, 0.25)))
    p.disc(0.2, 0.7, 0.4, 0.9, 2)
    p.disc(0.55, 0.7, 0.75, 0.9, 2)


def _bottle(p: Pencil) -> None:
    p.box(0.3, p.between(0.28, 0.4), 0.7, 0.96, 0, 0.08)
    p.box(0.41, 0.08, 0.59, 0.4)
    p.box(0.4, 0.02, 0.6, 0.12, 2)
    p.box(0.3, 0.55, 0.7, 0.78, 1)


def _table(p: Pencil) -> None:
    top = p.between(0.3, 0.5)
    p.box(0.0, top, 1.0, top + 0.09)
    for left in (0.06, 0.86):
        p.box(left, top + 0.09, left + 0.07, 0.92, 2)


def _chair(p: Pencil) -> None:
    p.box(0.25, 0.05, 0.36, 0.6)
    p.box(0.25, 0.5, 0.78, 0.6, 1)
    for left in (0.25, 0.7):
        p.box(left, 0.6, left + 0.07, 0.96, 2)


def _sofa(p: Pencil) -> None:
    p.box(0.0, 0.3, 1.0, 0.8, 0, 0.08)
    p.box(0.1, 0.5, p.between(0.45, 0.52), 0.7, 1, 0.04)
    p.box(0.53, 0.5, 0.9, 0.7, 1, 0.04)
    p.box(0.05, 0.8, 0.95, 0.86, 2)


def _cloth(p: Pencil) -> None:
    p.box(0.08, 0.08, 0.92, 0.92, 0, 0.06)
    stripes = 3 + int(p.between(0, 4))
    for stripe in range(stripes):
        at = 0.14 + stripe * 0.74 / stripes
        p.box(0.08, at, 0.92, at + 0.05, 1 + stripe % 2)


def _lamp(p: Pencil) -> None:
    p.area((0.3, 0.1), (0.7, 0.1), (p.between(0.8, 0.95), 0.45), (0.1, 0.45), colour=1)
    p.line((0.5, 0.45), (0.5, 0.9))
    p.disc(0.3, 0.86, 0.7, 0.98, 0)


def _vase(p: Pencil) -> None:
    p.disc(0.26, 0.4, 0.74, 0.98)
    p.box(0.4, 0.3, 0.6, 0.55)
    for _ in range(3):
        p.line((0.5, 0.3), (p.between(0.15, 0.85), p.between(0.02, 0.15)), width=0.02)


def _plant(p: Pencil) -> None:
    for _ in range(7):
        left, top = p.between(0.1, 0.65), p.between(0.02, 0.4)
        p.disc(left, top, left + 0.25, top + 0.22, 1)
    p.area((0.3, 0.62), (0.7, 0.62), (0.62, 0.96), (0.38, 0.96))


def _ring(p: Pencil) -> None:
    p.disc(0.08, 0.2, 0.92, 0.85)
    p.disc(0.2, 0.3, 0.8, 0.74, 1)
    p.box(0.42, 0.78, 0.58, p.between(0.9, 0.98), 2)


def _tower(p: Pencil) -> None:
    p.box(0.42, 0.1, 0.58, 0.92, 2)
    for top in (0.08, 0.45, 0.88):
        p.box(p.between(0.05, 0.25), top, p.between(0.75, 0.95), top + 0.09)


def _pen(p: Pencil) -> None:
    for pen in range(1 + int(p.between(0, 4))):
        p.line((0.1, 0.85 - pen * 0.14), (0.85, 0.2 - pen * 0.05), colour=pen % 2, width=0.07)
        p.disc(0.82, 0.16 - pen * 0.05, 0.9, 0.24 - pen * 0.05, 2)


def _parasol(p: Pencil) -> None:
    p.area((0.0, 0.4), (0.5, p.between(0.05, 0.15)), (1.0, 0.4))
    p.line((0.5, 0.4), (0.5, 0.95))


def _pool(p: Pencil) -> None:
    top = p.between(0.25, 0.4)
    p.disc(0.0, top, 1.0, top + 0.45)
    p.disc(0.05, top + 0.04, 0.95, top + 0.36, 1)
    p.line((0.25, top + 0.2), (0.45, top + 0.16), (0.65, top + 0.22), colour=0, width=0.02)


def _tool(p: Pencil) -> None:
    p.line((0.1, 0.9), (0.75, 0.25), width=0.06)
    p.area((0.65, 0.15), (0.9, 0.05), (0.97, p.between(0.2, 0.4)), (0.75, 0.35))


def _pipe(p: Pencil) -> None:
    p.disc(0.1, 0.15, 0.9, 0.9)
    p.disc(0.28, 0.33, 0.72, 0.72, 2)
    p.line((0.85, 0.5), (1.0, p.between(0.7, 0.95)), colour=0, width=0.08)


def _carton(p: Pencil) -> None:
    p.box(0.1, 0.25, 0.8, 0.95)
    p.area((0.1, 0.25), (0.28, 0.1), (0.95, 0.1), (0.8, 0.25), colour=1)
    p.area((0.8, 0.25), (0.95, 0.1), (0.95, 0.8), (0.8, 0.95), colour=2)


SHAPES: Final[Mapping[str, Callable[[Pencil], None]]] = {
    shape.__name__[1:]: shape
    for shape in (
        *(_book, _spines, _case, _pad, _console, _cable, _person, _crowd, _card),
        *(_cards, _vehicle, _drone, _board, _blocks, _ball, _garment, _carriage, _bottle),
        *(_table, _chair, _sofa, _cloth, _lamp, _vase, _plant, _ring, _tower),
        *(_pen, _parasol, _pool, _tool, _pipe, _carton),
    )
}
"""Every shape by its name."""

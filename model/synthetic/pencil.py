"""A pencil that draws in a unit square, wherever on the picture that lies."""

from dataclasses import dataclass
from random import Random

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pencil:
    """Draws in a unit square that lies somewhere on the picture.

    Args:
        draw: The picture.
        left: Of the square, in pixels.
        top: Of the square, in pixels.
        side: Of the square, in pixels.
        colours: The thing's own, its second and its dark one.
        random: Where chance comes from.
    """

    draw: ImageDraw.ImageDraw
    left: float
    top: float
    side: float
    colours: tuple[Colour, Colour, Colour]
    random: Random

    def box(self, left: float, top: float, right: float, bottom: float, colour: int = 0, round_: float = 0.0) -> None:
        """A rectangle, its corners rounded by a radius."""
        self.draw.rounded_rectangle(
            [self._at((left, top)), self._at((right, bottom))], round_ * self.side, self.colours[colour]
        )

    def disc(self, left: float, top: float, right: float, bottom: float, colour: int = 0) -> None:
        """An ellipse in this rectangle."""
        self.draw.ellipse([self._at((left, top)), self._at((right, bottom))], self.colours[colour])

    def area(self, *corners: Point, colour: int = 0) -> None:
        """A polygon."""
        self.draw.polygon([self._at(corner) for corner in corners], self.colours[colour])

    def line(self, *points: Point, colour: int = 2, width: float = 0.04) -> None:
        """A line through these points."""
        self.draw.line([self._at(point) for point in points], self.colours[colour], max(1, round(width * self.side)))

    def between(self, low: float, high: float) -> float:
        """A number by chance."""
        return low + (high - low) * self.random.random()

    def _at(self, point: Point) -> Point:
        return self.left + point[0] * self.side, self.top + point[1] * self.side

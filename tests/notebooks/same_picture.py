"""Are two pictures the same to the eye? Another font renderer may move an edge; a bar of another length may not."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from PIL import Image, ImageChops

# A picture is looked at in squares of so many pixels a side; one differs when its mean grey does by more than this.
SQUARE = 8
GREY = 20
# The share of squares that may differ.
TOLERANCE = 0.004
# Two pictures of another size are other pictures; a label that is a pixel wider is none.
SIZE = 0.03

_IN_HTML = re.compile(r'src="data:image/png;base64,([^"]+)"')


def share_that_differs(one: str, other: str) -> float:
    """The share of squares, from 0 to 1, in which two PNGs (base64, as a notebook has them) differ."""
    first, second = _grey(one), _grey(other)
    if any(abs(a - b) > SIZE * a for a, b in zip(first.size, second.size, strict=True)):
        return 1.0
    squares = (max(1, first.width // SQUARE), max(1, first.height // SQUARE))
    small = [image.resize(squares, Image.Resampling.BOX) for image in (first, second)]
    counts = ImageChops.difference(*small).histogram()
    return sum(counts[GREY + 1 :]) / sum(counts)


def pictures_in(output: Any) -> list[str]:
    """The PNGs (base64) that an output of a notebook shows: by itself, or within its HTML."""
    data = output.get("data", {})
    bare = [data["image/png"]] if "image/png" in data else []
    return bare + _IN_HTML.findall("".join(data.get("text/html", "")))


def _grey(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("L")

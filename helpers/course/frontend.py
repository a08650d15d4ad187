"""Whether somebody watches is for all to ask that show something: ``display`` has it."""

from ..display.frontend import somebody_watches as somebody_watches

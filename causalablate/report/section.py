"""A section of a study's page about something that was measured beside it."""

from dataclasses import dataclass
from pathlib import Path

from causalablate.report.tables import Cells


@dataclass(frozen=True)
class Section:
    """What the page shows of it.

    Attributes:
        name: Anchor of the section on the page.
        title: Heading.
        findings: Sentences.
        images: Title and PNG file of each figure.
        tables: Below them.
        links: Text and address of what holds more; addresses are relative to the page.
    """

    name: str
    title: str
    findings: tuple[str, ...]
    images: tuple[tuple[str, Path], ...]
    tables: tuple[Cells, ...]
    links: tuple[tuple[str, str], ...]

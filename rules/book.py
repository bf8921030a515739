"""The rulebook: every file of rules/, read once and handed down."""

from dataclasses import dataclass

from rules.catalogue import Catalogue, load_catalogue
from rules.formats import Formats, load_formats
from rules.parameters import Parameters, load_parameters
from rules.privacy import Privacy, load_privacy
from rules.regions import Regions, load_regions
from rules.texts import Texts, load_texts
from rules.toml_files import RulebookError

__all__ = ["Rulebook", "RulebookError", "load_rulebook"]


@dataclass(frozen=True)
class Rulebook:
    """Everything the files of rules/ say."""

    catalogue: Catalogue
    parameters: Parameters
    texts: Texts
    formats: Formats
    regions: Regions
    privacy: Privacy


def load_rulebook() -> Rulebook:
    """Read every file. Raises RulebookError naming file and key at the first slip."""
    texts = load_texts()
    parameters = load_parameters()
    return Rulebook(
        catalogue=load_catalogue(texts, parameters),
        parameters=parameters,
        texts=texts,
        formats=load_formats(),
        regions=load_regions(),
        privacy=load_privacy(parameters),
    )

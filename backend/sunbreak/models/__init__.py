"""Networks, model cards and checkpoints; independent of rasters.

`list_models`, `show_model` and `import_model` are a part of the Python interface: ``sunbreak.models.list_models()``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sunbreak.models.card import ModelCard

TaskName = Literal["cloud-removal", "land-cover"]


def list_models(task: TaskName | None = None) -> list[ModelCard]:
    """The models on this machine that have a valid card, bundled ones first.

    Args:
        task: Only models of this task.

    Returns:
        Their cards: `name`, `title`, `task`, `inputs`, `licence`, `metrics` and more.

    Example:
        >>> [card.name for card in sunbreak.models.list_models("land-cover")]
        ['resnet18-landcover']
    """
    from sunbreak.models import registry

    return [files.card for files in registry.list_models(task)[0]]


def show_model(name: str | Path) -> ModelCard:
    """The card of a model.

    Args:
        name: Name of the model, or path of its card or weights.

    Raises:
        ModelError: There is no such model (``unknown-model``), or its card is invalid.

    Example:
        >>> sunbreak.models.show_model("uncrtaints-guided").licence
        'GPL-2.0-or-later'
    """
    from sunbreak.models.registry import find_model

    return find_model(str(name)).card


def import_model(
    checkpoint: str | Path,
    name: str,
    *,
    task: TaskName | None = None,
    config: str | Path | None = None,
    title: str | None = None,
    licence: str | None = None,
    overwrite: bool = False,
) -> ModelCard:
    """Import a foreign checkpoint. It must load completely, or nothing is imported.

    Args:
        checkpoint: Checkpoint of an UnCRtainTS, an Augmented CycleGAN or a ResNet, or safetensors.
        name: Name of the new model.
        task: Task of the network; detected from the checkpoint if not given.
        config: JSON file with the facts that the checkpoint lacks; see `sunbreak models import --help`.
        title: Title of the model, one line.
        licence: Licence of the weights.
        overwrite: Replace a model of that name.

    Returns:
        The card of the new model. Assumptions are listed in ``training["assumed"]``.

    Raises:
        ModelError: The checkpoint cannot be verified, or the name is taken.

    Example:
        >>> sunbreak.models.import_model("model.pth.tar", "mine").parameters
        567890
    """
    from sunbreak.models.importing import import_uncrtaints
    from sunbreak.models.importing_augcyclegan import import_augcyclegan, is_augcyclegan
    from sunbreak.models.importing_classifier import import_classifier, is_classifier
    from sunbreak.models.weights import read_state_dict

    file = Path(checkpoint)
    state = read_state_dict(file)
    classifier = task == "land-cover" or (task is None and is_classifier(state))
    translation = not classifier and is_augcyclegan(state)
    how = import_classifier if classifier else import_augcyclegan if translation else import_uncrtaints
    found = Path(config) if config is not None else None
    return how(file, name, config=found, title=title, licence=licence, overwrite=overwrite).card

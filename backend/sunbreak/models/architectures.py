"""The architectures: how the weights of each are loaded and how its network takes tiles.

An adapter holds what is particular to an architecture; it is looked up by the card's `architecture`.
A new one is a class here. Torch is imported only when a network is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sunbreak.errors import ModelError
from sunbreak.extras import require
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import PER_PIXEL
from sunbreak.models.registry import ModelFiles, check_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sunbreak.models.augcyclegan import Generator
    from sunbreak.models.networks import TileNetwork
    from sunbreak.models.resnet import ResNet
    from sunbreak.models.resnet_fpn import ResNetFPN
    from sunbreak.models.uncrtaints import UnCRtainTS

M = TypeVar("M", bound="nn.Module")
Importer = Callable[..., ModelFiles]


@dataclass(frozen=True)
class TileGroups:
    """How tiles go into a compiled network together.

    Attributes:
        several: Whether more than one tile may go in at once, as many as suit the processor.
        channels_last: Whether the channels of a pixel lie together in memory.
        alone: Whether a tile is so large that one at a time keeps all cores busy.
    """

    several: bool = False
    channels_last: bool = False
    alone: bool = False


class Architecture(Generic[M]):
    """The interface of all architectures. `M` is the bare network, with the tensor names of its weights file.

    Attributes:
        name: Key in the card.
        task: Task of its models.
        whole_tile_norms: Whether each tile is normalised by its own statistics, as by an instance norm. Neighbouring
            tiles then differ by a slow change, and a hole in a tile changes all of it.
        groups: How tiles go into a compiled network.
    """

    name: ClassVar[str]
    task: ClassVar[str]
    whole_tile_norms: ClassVar[bool] = False
    groups: ClassVar[TileGroups] = TileGroups()

    def build(self, files: ModelFiles) -> M:
        """The network of a card, before its weights are loaded.

        Raises:
            ModelError: The card's arguments do not fit.
        """
        raise NotImplementedError

    def weights_of(self, module: M) -> nn.Module:
        """The part of the network that the weights file holds."""
        return module

    def load(self, files: ModelFiles) -> M:
        """Check the weights of a model against its card and load them strictly.

        Returns:
            The module in evaluation mode on the CPU.

        Raises:
            ModelError: The model is of another architecture, the checksum differs, or a tensor does not fit.
        """
        require("torch", "torch", f"Loading the weights of {files.card.name}")
        from sunbreak.models.weights import build_for, load_strictly, read_state_dict

        if files.card.architecture != self.name:
            raise ModelError(
                f"The model {files.card.name} is {files.card.architecture}; only {self.name} can be used for this.",
                "`sunbreak models show NAME` names the architecture of a model.",
                code="wrong-architecture",
            )
        check_weights(files)
        state = read_state_dict(files.weights)
        module: M = build_for(
            lambda: self.build(files), state, files.weights, arguments=files.path, part=self.weights_of
        )
        load_strictly(self.weights_of(module), state, files.weights)
        module.eval()
        return module

    def network(self, files: ModelFiles) -> TileNetwork:
        """The loaded network as the engine runs it; for cloud removal it gives moments.

        Raises:
            ModelError: As `load`.
        """
        raise NotImplementedError

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """Whether a foreign checkpoint with these tensors is of this architecture."""
        raise NotImplementedError

    @property
    def importer(self) -> Importer:
        """Makes a registry model from a foreign checkpoint: see `sunbreak.models.importing.import_uncrtaints`."""
        raise NotImplementedError


class UnCRtainTSArchitecture(Architecture["UnCRtainTS"]):
    """UnCRtainTS of one or several dates, with a guide or without."""

    name = "uncrtaints"
    task = "cloud-removal"

    def build(self, files: ModelFiles) -> UnCRtainTS:
        """See `Architecture`."""
        from sunbreak.models.uncrtaints import UnCRtainTS
        from sunbreak.models.uncrtaints_config import UnCRtainTSConfig

        return UnCRtainTS(UnCRtainTSConfig.from_dict(files.card.arguments))

    def weights_of(self, module: UnCRtainTS) -> nn.Module:
        """See `Architecture`."""
        return module.network

    def network(self, files: ModelFiles) -> TileNetwork:
        """See `Architecture`."""
        from sunbreak.models.networks import RemovalNetwork, SeveralDatesNetwork

        module = self.load(files)
        if module.config.multi_temporal:
            return SeveralDatesNetwork(module, files.card.dates, moments=True)
        return RemovalNetwork(module, moments=True)

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """See `Architecture`: cloud removal that no other adapter recognises; its import reports what does not fit."""
        return not any(other.recognises(state) for other in ARCHITECTURES.values() if other is not self)

    @property
    def importer(self) -> Importer:
        """See `Architecture`."""
        from sunbreak.models.importing import import_uncrtaints

        return import_uncrtaints


class AugCycleGANArchitecture(Architecture["Generator"]):
    """The generator of an Augmented CycleGAN from cloudy to clear."""

    name = "AugCycleGAN"
    task = "cloud-removal"
    whole_tile_norms = True

    def build(self, files: ModelFiles) -> Generator:
        """See `Architecture`."""
        from sunbreak.models.augcyclegan import DirectionConfig, Generator

        card = files.card
        config = DirectionConfig(
            len(card.outputs),
            len(card.outputs),
            conditioning=len(card.arguments["conditioning"]),
            latent=card.arguments["latent"],
            generator_width=card.arguments["generator_width"],
            spectral_norm=False,
        )
        return Generator(config)

    def network(self, files: ModelFiles) -> TileNetwork:
        """See `Architecture`."""
        from sunbreak.models.networks import TranslationNetwork

        return TranslationNetwork(self.load(files), files.card, moments=files.card.has_variance)

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """See `Architecture`."""
        from sunbreak.models.importing_augcyclegan import is_augcyclegan

        return is_augcyclegan(state)

    @property
    def importer(self) -> Importer:
        """See `Architecture`."""
        from sunbreak.models.importing_augcyclegan import import_augcyclegan

        return import_augcyclegan


class ResNetArchitecture(Architecture["ResNet"]):
    """A ResNet that classifies patches; its logits are divided by the card's temperature."""

    name = "resnet"
    task = "land-cover"
    groups = TileGroups(several=True, channels_last=True)

    def build(self, files: ModelFiles) -> ResNet:
        """See `Architecture`."""
        from sunbreak.models.resnet import ResNet

        card = files.card
        return ResNet(bands=len(card.inputs), classes=len(card.classes), **card.arguments)

    def load(self, files: ModelFiles) -> ResNet:
        """See `Architecture`."""
        module = super().load(files)
        if files.card.temperature:
            module.cool(files.card.temperature[0])
        return module

    def network(self, files: ModelFiles) -> TileNetwork:
        """See `Architecture`."""
        from sunbreak.models.networks import ClassifierNetwork

        return ClassifierNetwork(self.load(files), files.card.multi_label)

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """See `Architecture`."""
        from sunbreak.models.importing_classifier import is_classifier

        return is_classifier(state)

    @property
    def importer(self) -> Importer:
        """See `Architecture`."""
        from sunbreak.models.importing_classifier import import_classifier

        return import_classifier


class ResNetFPNArchitecture(Architecture["ResNetFPN"]):
    """A ResNet-18 with a pyramid that classifies pixels; its logits are divided by the card's temperature."""

    name = PER_PIXEL
    task = "land-cover"
    groups = TileGroups(channels_last=True, alone=True)

    def build(self, files: ModelFiles) -> ResNetFPN:
        """See `Architecture`."""
        from sunbreak.models.resnet_fpn import ResNetFPN

        card = files.card
        return ResNetFPN(bands=len(card.inputs), classes=len(card.classes), **card.arguments)

    def load(self, files: ModelFiles) -> ResNetFPN:
        """See `Architecture`."""
        module = super().load(files)
        if files.card.temperature:
            module.cool(files.card.temperature[0])
        return module

    def network(self, files: ModelFiles) -> TileNetwork:
        """See `Architecture`."""
        from sunbreak.models.networks import SegmentationNetwork

        return SegmentationNetwork(self.load(files), files.card.overlap // 2)

    def recognises(self, state: Mapping[str, Tensor]) -> bool:
        """See `Architecture`: foreign networks of this kind are not imported."""
        return False


UNCRTAINTS = UnCRtainTSArchitecture()
AUGCYCLEGAN = AugCycleGANArchitecture()
RESNET = ResNetArchitecture()
RESNET_FPN = ResNetFPNArchitecture()
# in the order in which a foreign checkpoint is compared with them
ARCHITECTURES: Mapping[str, Architecture[Any]] = {
    one.name: one for one in (RESNET_FPN, RESNET, AUGCYCLEGAN, UNCRTAINTS)
}


def architecture_of(card: ModelCard) -> Architecture[Any]:
    """The adapter of a model's architecture.

    Raises:
        ModelError: There is none.
    """
    found = ARCHITECTURES.get(card.architecture)
    if found is None:
        raise ModelError(
            f"The model {card.name} is {card.architecture!r}, which this version does not know.",
            f"Known: {', '.join(ARCHITECTURES)}.",
            code="wrong-architecture",
        )
    return found


def importer_for(state: Mapping[str, Tensor], task: str | None = None) -> Importer:
    """The importer of a foreign checkpoint with these tensors.

    Args:
        state: Its tensors by name.
        task: Task of the network, where it is known.
    """
    candidates = [one for one in ARCHITECTURES.values() if task in (None, one.task)]
    return next((one for one in candidates if one.recognises(state)), candidates[-1]).importer


def load_network(files: ModelFiles) -> TileNetwork:
    """The network of a registry model, checked, loaded and tried, as the engine runs it.

    Raises:
        ModelError: The weights do not have the card's checksum or do not load, or give values that are not finite.
    """
    from sunbreak.models.probing import probe

    network = architecture_of(files.card).network(files)
    probe(network, files.card.tile, files.path, files.weights)
    return network


def load_any(files: ModelFiles) -> nn.Module:
    """Check and load the bare network of a model of any task and architecture.

    Raises:
        ModelError: The checksum differs or a tensor does not fit.
    """
    module: nn.Module = architecture_of(files.card).load(files)
    return module


def load_model(files: ModelFiles) -> UnCRtainTS:
    """The bare UnCRtainTS of a model, see `Architecture.load`.

    Raises:
        ModelError: It is of another architecture, the checksum differs, or a tensor does not fit.
    """
    return UNCRTAINTS.load(files)


def load_segmentation(files: ModelFiles) -> ResNetFPN:
    """The bare network of a per-pixel classifier, its logits divided by the card's temperature.

    Raises:
        ModelError: It is of another architecture, the checksum differs, or a tensor does not fit.
    """
    return RESNET_FPN.load(files)


def load_classifier(files: ModelFiles) -> ResNet:
    """The bare ResNet of a classifier, its logits divided by the card's temperature, see `Architecture.load`.

    Raises:
        ModelError: It is of another architecture, the checksum differs, or a tensor does not fit.
    """
    return RESNET.load(files)

"""Every architecture of the cards' schema has an adapter that builds, loads and runs its networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sunbreak.errors import ModelError
from sunbreak.models import card as cards
from sunbreak.models.architectures import ARCHITECTURES, architecture_of, importer_for, load_classifier, load_network
from sunbreak.models.importing import import_uncrtaints
from sunbreak.models.importing_classifier import import_classifier
from sunbreak.models.weights import read_state_dict


def test_the_schema_and_the_registry_know_the_same_architectures():
    schema = json.loads(Path(cards.__file__).with_name("card.schema.json").read_text())
    names = schema["properties"]["properties"]["properties"]["mlm:architecture"]["enum"]
    assert sorted(names) == sorted(ARCHITECTURES)


def test_networks_are_built_and_loaded_by_the_adapter_of_the_card(small_model, small_classifier):
    assert [out.shape for out in load_network(small_model)(torch.rand(2, 15, 64, 64))] == [(2, 26, 64, 64)]
    assert [out.shape for out in load_network(small_classifier)(torch.rand(2, 10, 64, 64))] == [(2, 10)]
    with pytest.raises(ModelError, match="only resnet"):
        load_classifier(small_model)


def test_an_unknown_architecture_is_named(small_model):
    with pytest.raises(ModelError, match="'mamba', which this version does not know"):
        architecture_of(replace(small_model.card, architecture="mamba"))


def test_a_foreign_checkpoint_goes_to_the_importer_of_its_architecture(small_model, small_classifier):
    removal, classifier = (read_state_dict(files.weights) for files in (small_model, small_classifier))
    assert importer_for(removal) is import_uncrtaints
    assert importer_for(classifier) is import_classifier
    # a named task decides, so that the import can say what does not fit
    assert importer_for(removal, "land-cover") is import_classifier

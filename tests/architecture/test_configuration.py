"""Configuration reads well: the page is up to date, every setting is explained, and no name means two things."""

from __future__ import annotations

import pytest

from confero.config import ServiceConfig
from confero.configpage import installed_models, render

from .source import ROOT

MODELS = installed_models()
FIELDS = [(service, name) for service, model in MODELS.items() for name in model.model_fields]


def test_the_page_is_made_from_the_models() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert page == render(MODELS), "python -m confero.configpage > docs/configuration.md"


@pytest.mark.parametrize(("service", "name"), FIELDS)
def test_every_setting_is_explained(service: str, name: str) -> None:
    info = MODELS[service].model_fields[name]
    text = info.description or ""
    assert text.rstrip().endswith((".", "!", "?")), f"{service}.{name} needs a docstring of whole sentences"


@pytest.mark.parametrize("service", MODELS)
def test_every_service_starts_without_any_setting(service: str) -> None:
    assert not [name for name, info in MODELS[service].model_fields.items() if info.is_required()]
    assert MODELS[service]().model_config["frozen"] is True


def test_passwords_are_of_a_type_that_does_not_print_itself() -> None:
    for service, name in FIELDS:
        if {"secret", "password", "token", "credential"} & set(name.split("_")) and not name.endswith("_s"):
            assert "SecretStr" in str(MODELS[service].model_fields[name].annotation), (service, name)


def test_common_settings_keep_their_meaning() -> None:
    for service, model in MODELS.items():
        for name, info in ServiceConfig.model_fields.items():
            own = model.model_fields[name]
            assert own.annotation == info.annotation and own.description == info.description, (service, name)

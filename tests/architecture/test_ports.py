"""The port map rules: the page, the defaults of every service, its URLs of others and the containers all agree with it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from confero.configpage import installed_models
from confero.ports import find, render_markdown
from confero.up.specs import SPECS, Listen, Spec

from .source import ROOT, SERVICES

MODELS = installed_models()
LISTENS = [(spec, listen) for spec in SPECS for listen in spec.listens]


def default(service: str, name: str) -> object:
    return MODELS[service].model_fields[name].get_default(call_default_factory=True, validated_data={})


def test_the_page_is_made_from_the_map() -> None:
    assert (ROOT / "docs" / "ports.md").read_text() == render_markdown(), "python -m confero.ports > docs/ports.md"


def test_every_service_is_in_the_plan() -> None:
    assert tuple(MODELS) == tuple(spec.name for spec in SPECS) and set(MODELS) == set(SERVICES)


@pytest.mark.parametrize(
    ("spec", "listen"), LISTENS, ids=lambda part: getattr(part, "name", getattr(part, "purpose", ""))
)
def test_defaults_are_those_of_the_map(spec: Spec, listen: Listen) -> None:
    entry = find(spec.name, listen.purpose)
    assert default(spec.name, listen.port) == entry.number
    if entry.exposure == "internal":
        assert ip_address(str(default(spec.name, listen.host))).is_loopback


def test_media_ports_are_those_of_the_map() -> None:
    for spec in SPECS:
        if spec.media is not None:
            entry = find(spec.name, spec.range)
            assert [default(spec.name, name) for name in spec.media[1:]] == [entry.low, entry.high]


def test_urls_of_others_are_where_the_map_has_them() -> None:
    for spec in SPECS:
        for name, target in spec.wires.items():
            if url := str(default(spec.name, name)):
                parts = urlsplit(url)
                assert (parts.port or 80) == find(*target).number and ip_address(parts.hostname or "").is_loopback


def test_no_other_field_holds_a_port() -> None:
    """A number of the map in a default that the tests above do not look at would be a second place for it."""
    seen = {(spec.name, name) for spec, listen in LISTENS for name in (listen.port,)}
    seen |= {(spec.name, name) for spec in SPECS if spec.media for name in spec.media}
    for service, model in MODELS.items():
        for name in model.model_fields:
            assert not name.endswith(("_port", "_port_min", "_port_max")) or (service, name) in seen, (service, name)


def unvaried(text: str) -> str:
    """A text of the compose file with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-(\d+)\}", r"\1", text)


def test_the_containers_use_the_map() -> None:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    for spec in SPECS:
        if spec.front:
            continue  # there every service has an address of its own
        service = compose["services"][spec.name]
        address = service["networks"]["confero"]["ipv4_address"]
        published = {unvaried(text) for text in service.get("ports", ())}
        ports = [(find(spec.name, listen.purpose), listen.port) for listen in spec.listens]
        settings = {name: service["environment"].get(f"CONFERO_{spec.name}_{name}".upper(), "") for _, name in ports}
        moved = {name: unvaried(value) for name, value in settings.items()}
        public = {
            f"{moved[name] or p}:{moved[name] or p}/{how}"
            for p, name in ports
            if p.exposure == "public"
            for how in p.transport.split("/")
        }
        media = {text for text in published if spec.media is not None and "-" in text}  # a part of the range
        assert published - media == public, spec.name
        assert f"http://{address}:{find(spec.name, spec.health)}/ready" in str(service["healthcheck"]["test"])
        for name, (target, purpose) in spec.wires.items():
            if target not in compose["services"]:
                continue  # the front door
            url = urlsplit(service["environment"][f"CONFERO_{spec.name}_{name}".upper()])
            assert (url.port or 80) == find(target, purpose).number
            assert url.hostname == compose["services"][target]["networks"]["confero"]["ipv4_address"]
    assert (
        f":{find('database', 'sql')}/"
        in compose["services"]["appserver"]["environment"]["CONFERO_APPSERVER_DATABASE_URL"]
    )


@pytest.mark.parametrize("name", ["compose.yaml"])
def test_the_variables_of_the_containers_exist(name: str) -> None:
    compose = yaml.safe_load(Path(ROOT / "docker" / name).read_text())
    for service, model in MODELS.items():
        if service not in compose["services"]:
            continue
        for variable in compose["services"][service]["environment"]:
            prefix = f"CONFERO_{service.upper()}_"
            assert variable.removeprefix(prefix).lower() in model.model_fields, variable

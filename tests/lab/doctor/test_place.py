"""Where things should be: by the map from outside, by the configuration from inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.config import ConfigError
from confero.errors import LocalError
from confero.lab.doctor.command import Wish, place_of
from confero.lab.doctor.place import PAGE, Spot, from_inside, from_outside, moved, split_spot
from confero.ports import UNPRIVILEGED, find
from confero.up.plan import Options


def test_from_outside_the_map_says_where_public_ports_are() -> None:
    place = from_outside("meet.example", ports={("sipgw", "sip"): 5070})
    assert place.page == Spot("meet.example", 443) and place.spot(("sipgw", "sip")) == Spot("meet.example", 5070)
    assert place.spot(("mcu", "http")) is None and place.origin == "https://meet.example"


def test_from_inside_the_configuration_says_it(tmp_path: Path) -> None:
    config = tmp_path / "confero.toml"
    config.write_text('[mcu]\nhttp_host = "10.0.0.7"\nhttp_port = 2999\n[sipgw]\nsip_bind = ["10.0.0.8"]\n')
    env = {"CONFERO_APPSERVER_PUBLIC_URL": "https://meet.example"}
    place = from_inside(Options(state_dir=tmp_path, config=config), env)
    assert place.spot(("mcu", "http")) == Spot("10.0.0.7", 2999)
    assert place.spot(("sipgw", "sip")) == Spot("10.0.0.8", find("sipgw", "sip").number)
    assert (place.name, place.page) == ("meet.example", Spot("127.0.0.1", 443))


def test_a_wrong_configuration_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MCU_HTTP_PORT"):
        from_inside(Options(state_dir=tmp_path), {"CONFERO_MCU_HTTP_PORT": "many"})


def test_the_secret_is_read_and_never_made(tmp_path: Path) -> None:
    place = from_inside(Options(state_dir=tmp_path), {})
    assert place.secret == b"" and "No such file" in place.no_secret
    path = tmp_path / "secret"
    path.write_bytes(b"s" * 43 + b"\n")
    path.chmod(0o600)
    assert from_inside(Options(state_dir=tmp_path), {}).secret == b"s" * 43
    path.chmod(0o644)
    place = from_inside(Options(state_dir=tmp_path), {})
    assert place.secret == b"" and "read by others" in place.no_secret
    assert "sss" not in repr(from_inside(Options(state_dir=tmp_path), {"CONFERO_SECRET": "s" * 40}))


def test_low_ports_may_have_moved() -> None:
    place = from_outside("meet.example", ports={})
    stand_in = UNPRIVILEGED[PAGE]
    assert moved(place, {PAGE: True}, {}).page.port == stand_in
    assert moved(place, {PAGE: False}, {}).page.port == 443
    assert moved(place, {PAGE: True}, {PAGE: 443}).page.port == 443


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("stun.example", Spot("stun.example", 3478)),
        ("stun.example:19302", Spot("stun.example", 19302)),
        ("192.0.2.1", Spot("192.0.2.1", 3478)),
        ("2001:db8::1", Spot("2001:db8::1", 3478)),
        ("[2001:db8::1]", Spot("2001:db8::1", 3478)),
        ("[2001:db8::1]:5000", Spot("2001:db8::1", 5000)),
    ],
)
def test_spots_as_they_are_written(text: str, spot: Spot) -> None:
    assert split_spot(text, 3478) == spot


@pytest.mark.parametrize("text", [":3478", "host:port", "host:0", "host:70000"])
def test_spots_that_are_none(text: str) -> None:
    with pytest.raises(LocalError, match="HOST"):
        split_spot(text, 3478)


def test_the_command_looks_inside_where_there_is_an_installation(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert place_of(Wish(), env).inside
    assert not place_of(Wish(host="meet.example"), env).inside
    (tmp_path / "confero").mkdir()
    (tmp_path / "confero" / "secret").write_bytes(b"s" * 43)
    inside = place_of(Wish(host="meet.example"), env)
    assert inside.inside and inside.name == "meet.example"
    assert not place_of(Wish(host="meet.example", inside=False), env).inside


def test_wishes_that_cannot_be_met(tmp_path: Path) -> None:
    for wish in (Wish(inside=False), Wish(ca=tmp_path / "none.pem"), Wish(stun="a:b")):
        with pytest.raises(LocalError):
            place_of(wish, {"XDG_STATE_HOME": str(tmp_path)})

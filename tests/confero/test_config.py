"""Configuration: where values come from, which wins, and one error that lists every fault."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, SecretStr, ValidationError, model_validator

from confero.config import ConfigError, ServiceConfig, default_state_dir, help_text, kept_secret, load, service_secret


class McuConfig(ServiceConfig):
    """A service with a field of each kind."""

    http_host: str = "127.0.0.1"
    """Address of the control API."""
    http_port: int = Field(default=2131, ge=0, le=65_535)
    """Its port, TCP."""
    media_bind: list[str] = Field(default_factory=list)
    """Addresses."""
    kinds: tuple[int, ...] = (1, 2)
    mode: Literal["fast", "exact"] = "fast"
    strict: bool = False
    password: SecretStr = SecretStr("hunter2")
    limit: float | None = None
    port_min: int = 5000
    port_max: int = 15000

    @model_validator(mode="after")
    def _range(self) -> McuConfig:
        if self.port_min > self.port_max:
            raise ValueError("port_min is above port_max")
        return self


def read(argv: list[str] | None = None, env: dict[str, str] | None = None) -> McuConfig:
    return load(McuConfig, service="mcu", argv=argv or [], env=env or {})


def faults(argv: list[str] | None = None, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(argv, env)
    return [str(fault) for fault in caught.value.faults]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_defaults() -> None:
    config = read()
    assert config.http_port == 2131 and config.kinds == (1, 2) and config.secret is None


def test_each_source_overrides_the_one_before(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.toml", '[common]\nlog_level = "error"\n[mcu]\nhttp_port = 1\nhttp_host = "::1"\nlimit = 2\n'
    )
    env = {"CONFERO_CONFIG": file, "CONFERO_MCU_HTTP_PORT": "2", "CONFERO_MCU_HTTP_HOST": "::2"}
    config = read(["--http-port", "3"], env)
    assert (config.http_port, config.http_host, config.limit, config.log_level) == (3, "::2", 2, "error")


def test_a_service_s_own_value_of_a_common_field_wins(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", '[mcu]\nlog_level = "debug"\n[common]\nlog_level = "error"\n')
    assert read(["--config", file]).log_level == "debug"
    env = {"CONFERO_MCU_LOG_LEVEL": "warning", "CONFERO_LOG_LEVEL": "error"}
    assert read(["--config", file], env).log_level == "warning"


def test_lists_are_split_at_commas() -> None:
    assert read(env={"CONFERO_MCU_MEDIA_BIND": "127.0.0.1, ::1,"}).media_bind == ["127.0.0.1", "::1"]
    config = read(["--kinds=3,4", "--media-bind", ""])
    assert config.kinds == (3, 4) and config.media_bind == []


@pytest.mark.parametrize(
    ("argv", "strict"),
    [
        (["--strict"], True),
        (["--no-strict"], False),
        (["--strict=true"], True),
        (["--strict", "false"], False),
        (["--strict", "--http-port", "1"], True),
    ],
)
def test_truth_values(argv: list[str], strict: bool) -> None:
    assert read(argv).strict is strict


def test_the_file_of_the_command_line_goes_before_that_of_the_environment(tmp_path: Path) -> None:
    one = write(tmp_path / "1.toml", "[mcu]\nhttp_port = 1\n")
    two = write(tmp_path / "2.toml", "[mcu]\nhttp_port = 2\n")
    assert read([f"--config={one}"], {"CONFERO_CONFIG": two}).http_port == 1


def test_an_empty_variable_counts_as_absent() -> None:
    assert read(env={"CONFERO_MCU_HTTP_PORT": "", "CONFERO_SECRET": "", "CONFERO_CONFIG": ""}).http_port == 2131


def test_what_belongs_to_other_services_is_not_looked_at(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "[appserver]\nanything = 1\n[turn]\nx = 1\n")
    read(["--config", file], {"CONFERO_APPSERVER_HTTPS_PORT": "x", "CONFERO_TEST_LONG": "1", "HOME": "/home/x"})


def test_one_error_lists_every_fault_with_its_place(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.toml",
        '[common]\nlog_levle = "info"\n[mcu]\nhttp_prot = 1\nmode = "slow"\nkinds = [1, "x"]\n[mcus]\n',
    )
    env = {"CONFERO_MCU_HTTP_PORT": "99999", "CONFERO_MCU_HTTP_HOTS": "x", "CONFERO_LOGLEVEL": "x"}
    found = faults(["--config", file, "--strikt", "--limit", "much", "--port-min"], env)
    assert sorted(found) == sorted(
        [
            "option --strikt: there is no such option; did you mean --strict?",
            "option --port-min: its value is missing",
            f"{file}: [mcus]: there is no such table; did you mean mcu?",
            f"{file}: [common] log_levle: there is no such key; did you mean log_level?",
            f"{file}: [mcu] http_prot: there is no such key; did you mean http_port?",
            f"{file}: [mcu] mode: mode: Input should be 'fast' or 'exact'",
            f"{file}: [mcu] kinds: kinds[1]: Input should be a valid integer, unable to parse string as an integer",
            "environment CONFERO_LOGLEVEL: there is no such variable; did you mean CONFERO_LOG_LEVEL?",
            "environment CONFERO_MCU_HTTP_HOTS: there is no such variable; did you mean CONFERO_MCU_HTTP_HOST?",
            "environment CONFERO_MCU_HTTP_PORT: http_port: Input should be less than or equal to 65535",
            "option --limit: limit: Input should be a valid number, unable to parse string as a number",
        ]
    )


def test_the_error_reads_as_a_list() -> None:
    with pytest.raises(ConfigError) as caught:
        read(["--nope"], {"CONFERO_MCU_STRICT": "perhaps"})
    head, *lines = str(caught.value).splitlines()
    assert head == "mcu: 2 faults in the configuration"
    assert all(line.startswith("  ") for line in lines) and len(lines) == 2


def test_faults_of_the_whole_name_the_service() -> None:
    assert faults(["--port-min", "20000"]) == ["[mcu]: Value error, port_min is above port_max"]


@pytest.mark.parametrize("text", ["", "[mcu", 'mcu = "x"', "\x00", "[mcu]\nhttp_port = [1", "x" * (1 << 20) + "xx"])
def test_files_that_are_no_configuration(tmp_path: Path, text: str) -> None:
    file = write(tmp_path / "c.toml", text)
    if text:
        assert faults(["--config", file])[0].startswith(file)
    else:
        assert read(["--config", file]).http_port == 2131


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert faults(["--config", str(tmp_path / "none")]) == [f"{tmp_path / 'none'}: No such file or directory"]
    assert faults(["--config", str(tmp_path)]) == [f"{tmp_path}: Is a directory"]
    (tmp_path / "latin").write_bytes(b"# \xe9\n")
    assert "not TOML" in faults(["--config", str(tmp_path / "latin")])[0]


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_command_line_or_variable_raises_anything_else(argv: list[str], text: str) -> None:
    with contextlib.suppress(ConfigError, SystemExit):
        load(McuConfig, service="mcu", argv=argv, env={"CONFERO_MCU_LIMIT": text, f"CONFERO_{text}": text})


def test_secrets_are_in_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    found = faults(["--limit", "swordfish"], {"CONFERO_SECRET": "swordfish", "CONFERO_MCU_HTTP_PORT": "swordfish"})
    assert len(found) == 3 and not any("swordfish" in fault for fault in found)
    config = read(env={"CONFERO_SECRET": "swordfish" * 4})
    assert "swordfish" not in repr(config) + str(config.model_dump()) and "hunter2" not in help_text(McuConfig, "mcu")


def test_help_names_every_option_with_type_default_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read(["--http-port", "x", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "  --http-port number   (default: 2131)\n      Its port, TCP.\n" in text
    assert "  --mode fast|exact   (default: fast)" in text and "  --strict true|false   (default: false)" in text
    assert "  --kinds list   (default: 1,2)" in text and "  --limit number   (default: none)" in text
    assert all(f"--{name.replace('_', '-')} " in text for name in McuConfig.model_fields)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError):
        read().http_port = 1


# --- state folder and secret -----------------------------------------------------------------------------------------


def test_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_state_dir({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/confero")
    assert default_state_dir({"HOME": "/h"}) == Path("/h/.local/state/confero")
    assert read(env={"HOME": "/h"}).state_dir == Path("/h/.local/state/confero")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state_dir({"HOME": "/h"}) == Path("/var/lib/confero")
    assert default_state_dir({"XDG_STATE_HOME": "/s"}) == Path("/s/confero")


def test_the_tilde_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    assert read(["--state-dir", "~/x"]).state_dir == Path("/h/x")
    assert read(["--state-dir", "~nobody-of-this-name/x"]).state_dir == Path("~nobody-of-this-name/x")


def with_state(folder: Path, **fields: object) -> ServiceConfig:
    return ServiceConfig.model_validate({"state_dir": folder, **fields})


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    first = service_secret(with_state(folder))
    assert len(first) == 43 and service_secret(with_state(folder)) == first
    assert (folder / "secret").read_bytes() == first
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_a_configured_secret_goes_before_the_file(tmp_path: Path) -> None:
    assert service_secret(with_state(tmp_path, secret="s" * 32)) == b"s" * 32
    assert not (tmp_path / "secret").exists()


def test_other_secrets_are_kept_in_files_of_their_own(tmp_path: Path) -> None:
    config = with_state(tmp_path)
    made = kept_secret(config, None, "admin-token")
    assert made != service_secret(config) and made == (tmp_path / "admin-token").read_bytes()
    assert kept_secret(config, SecretStr("t" * 32), "admin-token") == b"t" * 32


def test_a_file_written_by_hand_may_end_in_a_newline(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("t" * 40 + "\n")
    (tmp_path / "secret").chmod(0o600)
    assert service_secret(with_state(tmp_path)) == b"t" * 40


def test_secret_files_that_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("t" * 40)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read it"):
        service_secret(with_state(tmp_path))
    path.write_text("short")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="fewer than 32"):
        service_secret(with_state(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"Not a directory|File exists"):
        service_secret(with_state(tmp_path / "file"))


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from confero.config import ServiceConfig, service_secret; sys.stdin.read(); "
        f"sys.stdout.buffer.write(service_secret(ServiceConfig(state_dir=Path({str(tmp_path / 's')!r}))))"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    for process in starts:
        assert process.stdin is not None
        process.stdin.close()
    secrets = {process.stdout.read() for process in starts if process.stdout}
    assert [process.wait(20) for process in starts] == [0] * 6
    assert len(secrets) == 1 and len(secrets.pop()) == 43

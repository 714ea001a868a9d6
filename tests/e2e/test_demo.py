"""`confero demo` ends with a matrix in which everyone hears everyone else and nobody themselves, and leaves a WAV file."""

import os
import subprocess
import sys
import wave
from pathlib import Path


def test_demo(tmp_path: Path) -> None:
    output = tmp_path / "heard.wav"
    command = [sys.executable, "-m", "confero.cli", "demo", "--output", str(output)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, env={**os.environ, "COLUMNS": "160"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everyone heard everyone else, and nobody themselves" in done.stdout
    with wave.open(str(output)) as heard:
        assert heard.getframerate() == 48_000
        assert heard.getnframes() > 10 * 48_000

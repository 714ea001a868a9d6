"""Prints the project's dependencies as a requirements file: ``python3 requirements.py pyproject.toml``."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
sys.stdout.write("\n".join(project["dependencies"]) + "\n")

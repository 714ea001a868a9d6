"""What pyproject.toml cannot say: the folders' import names, and the C library."""

from setuptools import find_packages, setup

ROOT = "confero"
FOLDERS = ("appserver", "notifier", "mcu", "sipgw", "turn", "edge", "lab")

packages = find_packages(include=[ROOT, f"{ROOT}.*"])
package_dir = {ROOT: ROOT}
for folder in FOLDERS:
    package_dir[f"{ROOT}.{folder}"] = folder
    packages += [f"{ROOT}.{name}" for name in find_packages(include=[folder, f"{folder}.*"])]

setup(
    packages=packages,
    package_dir=package_dir,
    cffi_modules=["native/build_core.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)

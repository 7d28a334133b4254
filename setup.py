"""What pyproject.toml cannot say: what a team edits travels in the wheel, as data of driftgate.shipped."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

WORKSPACE_FILE = "driftgate.yaml"
SHIPPED = {f"driftgate.shipped.{folder}": folder for folder in ("flows", "benchmarks", "monitor", "finetune")}


class BuildWithWorkspaceFile(build_py):
    """The file of the reference workspace lies above its folders, where no package is to take it along."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file(WORKSPACE_FILE, self._shipped_file())

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        made: list[str] = super().get_outputs(include_bytecode)
        return made if self.editable_mode else [*made, self._shipped_file()]

    def _shipped_file(self) -> str:
        return str(Path(self.build_lib, "driftgate", "shipped", WORKSPACE_FILE))


setup(
    cmdclass={"build_py": BuildWithWorkspaceFile},
    packages=[*find_packages(include=["driftgate", "driftgate.*"]), *SHIPPED],
    package_dir=SHIPPED,
    package_data={package: ["**/*"] for package in ("driftgate", *SHIPPED)},
    exclude_package_data={"": ["*__pycache__/*"], "driftgate.shipped.benchmarks": ["perf/*", "perf/**/*"]},
)

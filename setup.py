"""What pyproject.toml cannot say: the folders that a team edits travel in the wheel, as data of driftgate.shipped."""

from setuptools import find_packages, setup

SHIPPED = {f"driftgate.shipped.{folder}": folder for folder in ("flows", "benchmarks", "monitor", "finetune")}

setup(
    packages=[*find_packages(include=["driftgate", "driftgate.*"]), *SHIPPED],
    package_dir=SHIPPED,
    package_data={
        "*": ["py.typed", "*.yaml", "*.jinja2", "*.jsonl", "*.md", "*.css", "*.js", "*.html"],
        **{package: ["**/*"] for package in SHIPPED},
    },
    exclude_package_data={"driftgate.shipped.benchmarks": ["perf/*", "perf/**/*"]},
)

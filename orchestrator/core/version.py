"""The product's version, as the changelog has it; pyproject.toml repeats it and a test compares them."""

VERSION = "0.1.0"

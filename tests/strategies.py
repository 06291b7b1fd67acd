"""Hypothesis strategies for the field's own things, each with the limit that it encodes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from orchestrator.core.installation import ApprovalPolicy

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}", fullmatch=True)
"""Model names that CloudFormation takes as part of a stack's name (``[a-zA-Z][-a-zA-Z0-9]*``, 128 characters)."""

stack_tags = st.dictionaries(
    st.from_regex(r"(?!aws:)(?!mlops:)[A-Za-z0-9 _.:/=+@-]{1,128}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9 _.:/=+@-]{0,256}", fullmatch=True),
    max_size=5,
)
"""Tags as AWS takes them ("Tag naming limits and requirements", AWS General Reference)."""

object_keys = st.from_regex(r"[A-Za-z0-9_.-]{1,20}(/[A-Za-z0-9_ +%üé🦊.-]{1,20}){0,3}", fullmatch=True).filter(
    lambda key: ".." not in key.split("/")
)
"""Keys of S3 objects: any UTF-8 up to 1,024 bytes ("Naming Amazon S3 objects")."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)
"""RFC 8259 values; depth stays far below the parser's limit."""

PEOPLE = ("ana", "ben", "chloe", "dev", "eve")
ROLES = {"owner": ("ana", "ben", "chloe"), "risk": ("chloe", "dev"), "cto": ("dev",), "nobody": ()}

policies = st.builds(
    ApprovalPolicy,
    st.lists(
        st.dictionaries(st.sampled_from(sorted(ROLES)), st.integers(1, 3), min_size=1, max_size=3).map(
            lambda seats: tuple(sorted(seats.items()))
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.integers(1, 720),
    st.booleans(),
)
"""Policies as the settings and the configuration allow them."""

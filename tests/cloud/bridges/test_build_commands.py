"""Lines of a buildspec: followed as far as they decide a build, and never given to a shell of this machine."""

from __future__ import annotations

import pytest

from local.cloud.codebuild.shell import Shell

COMMANDS = [
    pytest.param("A=1 && echo $A", 0, ["1"], id="assigned before it is read"),
    pytest.param("false || echo 'no $A'", 0, ["no $A"], id="or, in single quotes"),
    pytest.param("false && echo no; echo yes", 0, ["yes"], id="a list"),
    pytest.param("true || { echo a; false; }", 0, [], id="a group that is passed over"),
    pytest.param("false || { echo a; false; }", 1, ["a"], id="a group"),
    pytest.param('echo "${B:-none}" # said', 0, ["none"], id="a default and a comment"),
    pytest.param("echo a > /dev/null 2>&1", 0, ["a"], id="redirections"),
    pytest.param("exit 3", 3, [], id="exit"),
    pytest.param("[ a = b ] || exit 1", 1, [], id="test"),
    pytest.param(
        "echo $(date)",
        0,
        ["[embedded cloud] not run: echo $(date) (command substitution is not followed here)"],
        id="substitution",
    ),
    pytest.param(
        "if true; then echo a; fi",
        0,
        ["[embedded cloud] not run: if true; then echo a; fi (if is not followed here)"],
        id="if",
    ),
    pytest.param("rm -rf /", 0, ["[embedded cloud] not run: rm -rf /"], id="anything else"),
]


@pytest.mark.parametrize(("line", "status", "said"), COMMANDS)
def test_lines_of_shell_are_followed_as_far_as_they_decide_a_build(line: str, status: int, said: list[str]) -> None:
    shell = Shell({}, {})
    assert shell.run(line) == status
    assert shell.log == said

"""Follows the commands of a buildspec, as far as they decide a container build; nothing is given to a real shell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from local.cloud.codebuild.words import NotUnderstood, Token, tokens

_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)

Command = Callable[[list[str], str], tuple[int, str]]
"""Words after the command's name and standard input → exit status and output."""


class Exit(Exception):
    """``exit`` with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Shell:
    """Variables, a folder within the source, and what ``docker`` and ``aws`` do."""

    variables: dict[str, str]
    commands: dict[str, Command]
    folder: str = ""
    log: list[str] = field(default_factory=list)

    def run(self, line: str) -> int:
        """Follow one command of a buildspec; its exit status."""
        try:
            status, _ = self._list(_Reader(tokens(line)), "")
        except NotUnderstood as problem:
            self.log.append(f"[embedded cloud] not run: {line.strip()} ({problem})")
            return 0
        except Exit as end:
            return end.status
        return status

    def _lookup(self, name: str) -> str:
        return self.variables.get(name, "")

    def _list(self, reader: _Reader, given: str) -> tuple[int, str]:
        status, output = 0, ""
        while reader.more():
            status, output = self._and_or(reader, given)
            if not reader.take(";") and not reader.take("&"):
                break
        return status, output

    def _and_or(self, reader: _Reader, given: str) -> tuple[int, str]:
        status, output = self._pipeline(reader, given, run=True)
        while reader.at("&&") or reader.at("||"):
            wanted = reader.take("&&")
            if not wanted:
                reader.take("||")
            go_on = (status == 0) is wanted
            following = self._pipeline(reader, given, run=go_on)
            if go_on:
                status, output = following
        return status, output

    def _pipeline(self, reader: _Reader, given: str, *, run: bool) -> tuple[int, str]:
        status, output = self._command(reader, given, run=run)
        while reader.take("|"):
            status, output = self._command(reader, output, run=run)
        return status, output

    def _command(self, reader: _Reader, given: str, *, run: bool) -> tuple[int, str]:
        for opening, closing in (("{", "}"), ("(", ")")):
            if reader.take(opening):
                inner = reader.until(closing)
                return self._list(inner, given) if run else (0, "")
        found = reader.words(self._lookup)
        return self._simple(found, given) if run and found else (0, "")

    def _simple(self, found: list[str], given: str) -> tuple[int, str]:
        while found and (assigned := _ASSIGNMENT.match(found[0])):
            self.variables[assigned[1]] = assigned[2]
            found = found[1:]
        if not found:
            return 0, ""
        name, rest = found[0], found[1:]
        if name in self.commands:
            status, output = self.commands[name](rest, given)
        else:
            status, output = self._builtin(name, rest)
        if output:
            self.log.append(output)
        return status, output

    def _builtin(self, name: str, rest: list[str]) -> tuple[int, str]:
        if name == "export":
            for word in rest:
                if assigned := _ASSIGNMENT.match(word):
                    self.variables[assigned[1]] = assigned[2]
            return 0, ""
        if name in {"echo", "printf"}:
            return 0, " ".join(word for word in rest if word != "-e")
        if name in {"true", ":", "set"}:
            return 0, ""
        if name == "false":
            return 1, ""
        if name in {"test", "["}:
            return _tested([word for word in rest if word != "]"]), ""
        if name == "exit":
            raise Exit(int(rest[0]) if rest and rest[0].isdigit() else 0)
        if name == "cd":
            self.folder = path_below(self.folder, rest[0] if rest else "")
            return 0, ""
        return 0, f"[embedded cloud] not run: {' '.join([name, *rest])}"


def path_below(folder: str, path: str) -> str:
    """A path of the source, from a folder in it; without a leading or a trailing slash."""
    parts: list[str] = []
    for part in [*folder.split("/"), *path.split("/")]:
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _tested(words: list[str]) -> int:
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    if len(words) == 3:
        left, sign, right = words
        truth = {
            "=": left == right,
            "==": left == right,
            "!=": left != right,
            "-eq": left.strip() == right.strip(),
            "-ne": left.strip() != right.strip(),
        }.get(sign)
    elif len(words) == 2 and words[0] in {"-n", "-z"}:
        truth = bool(words[1]) is (words[0] == "-n")
    else:
        truth = bool(words and words[0]) if len(words) < 2 else None
    if truth is None:
        raise NotUnderstood(f"test {' '.join(words)}")
    return 0 if truth is not negated else 1


class _Reader:
    """Tokens, read one after another."""

    def __init__(self, found: list[Token]) -> None:
        self.found, self.place = found, 0

    def more(self) -> bool:
        while self.at(";"):
            self.place += 1
        return self.place < len(self.found)

    def at(self, operator: str) -> bool:
        if self.place >= len(self.found):
            return False
        token = self.found[self.place]
        return token.operator and token.plain == operator

    def take(self, operator: str) -> bool:
        if not self.at(operator):
            return False
        self.place += 1
        return True

    def words(self, lookup: Callable[[str], str]) -> list[str]:
        words = []
        while self.place < len(self.found) and not self.found[self.place].operator:
            words.append(self.found[self.place].text(lookup))
            self.place += 1
        if not words and self.place < len(self.found):
            raise NotUnderstood(f"unexpected {self.found[self.place].plain}")
        return words

    def until(self, closing: str) -> _Reader:
        """The tokens up to a closing bracket, which is passed over."""
        depth, start = 1, self.place
        opening = {"}": "{", ")": "("}[closing]
        while self.place < len(self.found):
            if self.at(opening):
                depth += 1
            elif self.at(closing):
                depth -= 1
                if depth == 0:
                    self.place += 1
                    return _Reader(self.found[start : self.place - 1])
            self.place += 1
        raise NotUnderstood(f"{opening} is not closed")

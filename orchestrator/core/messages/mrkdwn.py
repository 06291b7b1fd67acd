"""Other people's text inside Slack's markup: cleaned, cut, escaped, so that it can neither ping nor pretend.

Three characters are markup to Slack (``&``, ``<``, ``>``: docs.slack.dev/messaging/formatting-message-text, "Escaping
text"); a mention such as ``<!channel>`` is only one with them. Beside that a text could pretend to be ours: by a line
break, by a back-tick that ends a code span, by a character that turns the writing direction of what follows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_ELLIPSIS = "…"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LOOK_ALIKES = str.maketrans({"<": "‹", ">": "›"})


def size(text: str) -> int:
    """Length as Slack counts it: UTF-16 units, so most emoji count as two."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str) -> str:
    """One line of the text: white space and line breaks become one blank, control characters are dropped.

    Characters that only steer the writing direction are dropped too: with them "gpj.dorp" reads as something else.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_kept(character) for character in text)
    return " ".join(text.split())


def _kept(character: str) -> str:
    if character in _BIDI_CONTROLS:
        return ""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " " if character.isspace() else ""
    return "\ufffd" if category == "Cs" else character


def cut(text: str, most: int) -> str:
    """At most ``most`` units of a text, an ellipsis where something is missing."""
    if size(text) <= most:
        return text
    kept, left = [], most - 1
    for character in text:
        left -= size(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + _ELLIPSIS


def escape(text: str) -> str:
    """The three characters that are markup, as Slack wants them."""
    return "".join(_ENTITIES.get(character, character) for character in text)


def unescape(text: str) -> str:
    """The inverse of ``escape``: Slack escapes what people type after a command."""
    for character, entity in (("<", "&lt;"), (">", "&gt;"), ("&", "&amp;")):
        text = text.replace(entity, character)
    return text


def said(text: str, most: int) -> str:
    """One line of somebody's text, escaped; never longer than ``most`` units with its escapes."""
    line = clean(text)
    if not line:
        return "–"
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in line):
        # Isolated, so that our own words and numbers beside it keep their places.
        return f"{_ISOLATE}{_escaped(line, most - 2)}{_END_ISOLATE}"
    return _escaped(line, most)


def _escaped(line: str, most: int) -> str:
    whole = escape(line)
    if size(whole) <= most:
        return whole
    kept, left = [], most - 1
    for character in line:
        piece = escape(character)
        left -= size(piece)
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _ELLIPSIS


def bold(text: str, most: int) -> str:
    """One line of somebody's text in bold; an asterisk in it would end the bold, so it becomes a look-alike."""
    return f"*{said(text.replace('*', '∗'), most - 2)}*"


def code(text: str, most: int) -> str:
    """One line of somebody's text as code; a back-tick in it would end the code, so it becomes a look-alike."""
    return f"`{said(text.replace('`', 'ˋ'), most - 2)}`"


# This machine is where the local Slack page has its messages.
_ADDRESS = re.compile(r"(https://[A-Za-z0-9.-]+|http://127\.0\.0\.1)(:[0-9]{1,5})?/[A-Za-z0-9/?=&#%:._~@!+,-]*")
_MOST_ADDRESS = 600


def link(address: str, shown: str) -> str:
    """``shown``, which is markup already, as a link; as it is where the address is none that could be trusted."""
    fits = len(address) <= _MOST_ADDRESS and _ADDRESS.fullmatch(address)
    return f"<{escape(address)}|{shown}>" if fits else shown


def quote(text: str, most: int) -> str:
    """Somebody's text of several lines, each marked as a quotation; at most ``most`` units."""
    lines = [line for line in text.splitlines() if clean(line)]
    quoted: list[str] = []
    left = most
    for line in lines:
        if left < 10:
            break
        shown = f"> {said(line, left - 3)}"
        left -= size(shown) + 1
        quoted.append(shown)
    if len(quoted) < len(lines) and quoted:
        quoted[-1] = quoted[-1].rstrip(_ELLIPSIS) + _ELLIPSIS
    return "\n".join(quoted)


def plain(text: str, most: int) -> str:
    """Somebody's text for a plain_text object or a label.

    Slack neither parses nor unescapes markup there; the angle brackets become look-alikes all the same, so that no
    reader of the message can take them for a mention.
    """
    return cut(clean(text).translate(_LOOK_ALIKES) or "–", most)


def date(stamp: str) -> str:
    """A moment as each reader's own clock shows it (ISO 8601 in; Slack's date token out)."""
    moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    fallback = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def ago(stamp: str) -> str:
    """How long ago a moment is when somebody reads it: ``2 days ago`` (Slack's date token ``{ago}``)."""
    return date(stamp).replace("{date_short_pretty} {time}", "{ago}")


def lapse(earlier: str, later: str) -> str:
    """The time between two moments, as people say it: ``2 days 3 h``, ``45 min``."""
    first, second = (datetime.fromisoformat(stamp.replace("Z", "+00:00")) for stamp in (earlier, later))
    minutes = max(0, int((second - first).total_seconds()) // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} day{'' if days == 1 else 's'}{f' {hours} h' if hours else ''}"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def lines(shown: Sequence[str], most: int, total: int | None = None, *, what: str = "more") -> str:
    """Lines that fit into ``most`` units, whole lines only; what is missing of ``total`` is said in a last line."""
    total = len(shown) if total is None else total
    room = most - size(_more(total, what))
    kept: list[str] = []
    for line in shown:
        if size(line) + 1 > room:
            break
        room -= size(line) + 1
        kept.append(line)
    missing = total - len(kept)
    return "\n".join([*kept, _more(missing, what)] if missing > 0 else kept)


def _more(count: int, what: str) -> str:
    return f"… and {count} {what}"


def joined(words: Iterable[str]) -> str:
    """``a, b and c``."""
    known = list(words)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}" if known else ""

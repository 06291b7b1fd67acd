"""chat.*, conversations.history and .replies, reactions.add, and what response URLs post."""

from __future__ import annotations

from typing import Any

from local.slack import limits
from local.slack.arguments import Arguments
from local.slack.checks import check_message_blocks
from local.slack.method import Api, refuse
from local.slack.schema import Json, Problem
from local.slack.views import ResponseUrl
from local.slack.workspace import Conversation, Message, SlackError

_ATTACHMENT_TEXTS = {"color", "text", "fallback", "pretext", "title", "title_link", "footer"}
_ATTACHMENT_FIELDS = _ATTACHMENT_TEXTS | {"blocks", "mrkdwn_in", "id"}


def _content(arguments: Arguments) -> tuple[str | None, list[Json] | None, list[Json] | None]:
    """Checked text, blocks and attachments of a message."""
    text = arguments.optional("text")
    if text is not None and len(text) > limits.MESSAGE_TEXT:
        raise SlackError("msg_too_long")
    blocks = arguments.json("blocks", "invalid_blocks_format")
    if blocks is not None:
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        refuse(check_message_blocks(blocks), "invalid_blocks")
    attachments = arguments.json("attachments", "invalid_attachments")
    if attachments is not None:
        refuse(_attachment_problems(attachments), "invalid_attachments")
    return text, blocks, attachments


def _attachment_problems(attachments: Any) -> list[Problem]:
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        return [Problem("/attachments", "must be a list of objects")]
    problems = []
    if len(attachments) > limits.ATTACHMENTS:
        problems.append(Problem("/attachments", f"no more than {limits.ATTACHMENTS} items allowed"))
    for index, each in enumerate(attachments):
        at = f"/attachments/{index}"
        problems += [Problem(f"{at}/{key}", "not shown by this page") for key in each if key not in _ATTACHMENT_FIELDS]
        problems += check_message_blocks(each.get("blocks") or [], f"{at}/blocks")
        problems += [
            Problem(f"{at}/{key}", "must be a string")
            for key in _ATTACHMENT_TEXTS
            if key in each and not isinstance(each[key], str)
        ]
    return problems


def _said(text: str | None, blocks: list[Json] | None, attachments: list[Json] | None) -> None:
    if not (text or "").strip() and not blocks and not attachments:
        raise SlackError("no_text")


def _target(api: Api, channel: str) -> Conversation:
    """A channel by id or name, or the direct message with a person by their id."""
    return api.workspace.direct(channel) if channel in api.workspace.people else api.workspace.room(channel)


def _thread(api: Api, channel: str, thread_ts: str | None) -> str | None:
    """The thread to answer in. Slack refuses an unknown one as thread_not_found."""
    if thread_ts:
        try:
            api.workspace.find(channel, thread_ts)
        except SlackError as error:
            raise SlackError("thread_not_found") from error
    return thread_ts or None


def post_message(api: Api, arguments: Arguments) -> Json:
    conversation = api.writable(_target(api, arguments.text("channel")))
    text, blocks, attachments = _content(arguments)
    _said(text, blocks, attachments)
    metadata = arguments.json("metadata", "invalid_metadata_format")
    if metadata is not None and not (isinstance(metadata, dict) and {"event_type", "event_payload"} <= set(metadata)):
        raise SlackError("invalid_metadata_format")
    message = api.workspace.post(
        conversation.id,
        api.workspace.spec.bot.id,
        text or "",
        blocks,
        attachments=attachments,
        thread_ts=_thread(api, conversation.id, arguments.optional("thread_ts")),
        metadata=metadata,
    )
    return {"channel": conversation.id, "ts": message.ts, "message": api.workspace.slack_message(message)}


def post_ephemeral(api: Api, arguments: Arguments) -> Json:
    conversation = api.writable(_target(api, arguments.text("channel")))
    user = arguments.text("user")
    if api.workspace.person(user).id not in conversation.members:
        raise SlackError("user_not_in_channel")
    text, blocks, attachments = _content(arguments)
    _said(text, blocks, attachments)
    message = api.workspace.post(
        conversation.id,
        api.workspace.spec.bot.id,
        text or "",
        blocks,
        attachments=attachments,
        thread_ts=_thread(api, conversation.id, arguments.optional("thread_ts")),
        ephemeral_to=user,
    )
    return {"message_ts": message.ts}


def _own(api: Api, arguments: Arguments, refused: str) -> Message:
    """A message that the app itself wrote and everybody sees; chat.* know ephemeral ones not."""
    conversation = api.workspace.conversation(arguments.text("channel"))
    if conversation.archived or conversation.id in api.faults.now.archived:
        raise SlackError("is_archived" if refused.startswith("cant_update") else "message_not_found")
    message = api.workspace.find(conversation.id, arguments.text("ts"))
    if message.user != api.workspace.spec.bot.id:
        raise SlackError(refused)
    return message


def update(api: Api, arguments: Arguments) -> Json:
    message = _own(api, arguments, "cant_update_message")
    text, blocks, attachments = _content(arguments)
    if text is None and blocks is None and attachments is None:
        raise SlackError("no_text")
    kept_blocks = message.blocks if blocks is None and text is None else blocks
    _said(
        message.text if text is None else text, kept_blocks, message.attachments if attachments is None else attachments
    )
    api.workspace.update(message, text, kept_blocks, attachments, arguments.json("metadata", "invalid_metadata_format"))
    shown = api.workspace.slack_message(message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(api: Api, arguments: Arguments) -> Json:
    message = _own(api, arguments, "cant_delete_message")
    api.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(api: Api, arguments: Arguments) -> Json:
    channel = api.workspace.conversation(arguments.text("channel")).id
    message = api.workspace.find(channel, arguments.text("message_ts"))
    link = f"{api.base_url}/archives/{channel}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel}"
    return {"channel": channel, "permalink": link}


def history(api: Api, arguments: Arguments) -> Json:
    """Newest first; replies in threads are not part of it."""
    conversation = api.readable(arguments.text("channel"))
    rows = [m for m in api.workspace.messages[conversation.id] if m.ephemeral_to is None and not m.thread_ts]
    return _listed(api, arguments, list(reversed(rows)))


def replies(api: Api, arguments: Arguments) -> Json:
    """The parent first, then its replies, oldest first."""
    conversation = api.readable(arguments.text("channel"))
    try:
        parent = api.workspace.find(conversation.id, arguments.text("ts"))
    except SlackError as error:
        raise SlackError("thread_not_found") from error
    return _listed(api, arguments, [parent, *api.workspace.replies(parent)])


def _listed(api: Api, arguments: Arguments, messages: list[Message]) -> Json:
    oldest, latest = arguments.optional("oldest"), arguments.optional("latest")
    inclusive = arguments.flag("inclusive")

    def within(ts: float) -> bool:
        low, high = float(oldest or 0), float(latest or "inf")
        return low <= ts <= high if inclusive else low < ts < high

    shown = [api.workspace.slack_message(m) for m in messages if within(float(m.ts))]
    if not arguments.flag("include_all_metadata"):
        for each in shown:
            each.pop("metadata", None)
    rows, more = api.page(shown, arguments.number("limit", 100, 999), arguments.optional("cursor"))
    return {"messages": rows, "has_more": bool(more["next_cursor"]), "response_metadata": more}


def add_reaction(api: Api, arguments: Arguments) -> Json:
    channel = api.writable(api.workspace.conversation(arguments.text("channel"))).id
    message = api.workspace.find(channel, arguments.text("timestamp"))
    api.workspace.react(message, api.workspace.spec.bot.id, arguments.text("name").strip(":"))
    return {}


def respond(api: Api, ticket: str, arguments: Arguments) -> Json:
    """POST to a response_url: a new message, by default for the clicker alone; or the clicked one replaced, deleted."""
    if api.faults.now.outage:
        raise SlackError("service_unavailable")
    text, blocks, attachments = _content(arguments)
    deleting = arguments.flag("delete_original")
    if not deleting:
        _said(text, blocks, attachments)
    url = api.views.use_response_url(ticket)
    original = _original(api, url) if deleting or arguments.flag("replace_original") else None
    if original and deleting:
        api.workspace.delete(original)
    elif original:
        api.workspace.update(original, text, blocks, attachments)
    elif not deleting:
        everybody = arguments.optional("response_type") == "in_channel"
        thread_ts = arguments.optional("thread_ts") or url.thread_ts
        api.workspace.post(
            url.channel,
            api.workspace.spec.bot.id,
            text or "",
            blocks,
            attachments=attachments,
            thread_ts=_thread(api, url.channel, thread_ts),
            ephemeral_to=None if everybody else url.user,
        )
    return {}


def _original(api: Api, url: ResponseUrl) -> Message:
    if url.message_ts is None:
        raise SlackError("message_not_found")
    return api.workspace.find(url.channel, url.message_ts, url.user)

"""Methods about files: an upload announced, and shared in a conversation or a thread."""

from __future__ import annotations

from local.slack.arguments import Arguments
from local.slack.files import MOST_BYTES, PREVIEW, UploadedFile
from local.slack.method import Api
from local.slack.schema import Json
from local.slack.workspace import SlackError


def get_upload_url(api: Api, arguments: Arguments) -> Json:
    """``files.getUploadURLExternal``."""
    name = arguments.text("filename")
    length = arguments.text("length")
    if not length.isdigit() or not int(length):
        raise SlackError("missing_argument" if length == "0" else "invalid_arguments")
    if int(length) > MOST_BYTES:
        raise SlackError("file_upload_size_restricted")
    file = api.files.announce(api.workspace.new_id("F", 9), name, int(length))
    return {"file_id": file.id, "upload_url": f"{api.base_url}/upload/{file.ticket}"}


def complete_upload(api: Api, arguments: Arguments) -> Json:
    """``files.completeUploadExternal``: one message with the files in it."""
    wanted = arguments.json("files")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, dict) for one in wanted):
        raise SlackError("invalid_arguments", "[ERROR] must be a list of objects [json-pointer:/files]")
    files = [_uploaded(api, one) for one in wanted]
    channel = arguments.optional("channel_id")
    if channel:
        _share(api, arguments, channel, files)
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


def _uploaded(api: Api, wanted: Json) -> UploadedFile:
    file = api.files.get(str(wanted.get("id", "")))
    if file is None or file.data is None or file.shared:
        raise SlackError("file_not_found")
    file.title = str(wanted.get("title") or file.name)
    return file


def _share(api: Api, arguments: Arguments, channel: str, files: list[UploadedFile]) -> None:
    conversation = api.writable(api.workspace.conversation(channel))
    thread = arguments.optional("thread_ts")
    if thread:
        try:
            api.workspace.find(conversation.id, thread)
        except SlackError as error:
            raise SlackError("thread_not_found") from error
    for file in files:
        file.shared = True
    api.workspace.post(
        conversation.id,
        api.workspace.spec.bot.id,
        arguments.optional("initial_comment") or "",
        thread_ts=thread,
        files=[_told(api, file) for file in files],
    )


def _told(api: Api, file: UploadedFile) -> Json:
    """The file as a message has it."""
    text = file.text
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": "text/plain",
        "filetype": "text",
        "size": file.length,
        "url_private": f"{api.base_url}/files/{file.id}",
        "preview": text[:PREVIEW],
        "preview_is_truncated": len(text) > PREVIEW,
    }

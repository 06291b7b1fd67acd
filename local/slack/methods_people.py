"""auth.test, users.*, usergroups.*, and who is in which conversation."""

from __future__ import annotations

from collections.abc import Callable

from local.slack.arguments import Arguments
from local.slack.method import Api
from local.slack.people import Kind, Person, Usergroup
from local.slack.schema import Json
from local.slack.scopes import EMAIL
from local.slack.workspace import Conversation, SlackError


def auth_test(api: Api, arguments: Arguments) -> Json:
    spec = api.workspace.spec
    return {
        "url": f"{api.base_url}/",
        "team": spec.name,
        "user": spec.bot.name,
        "team_id": spec.team_id,
        "user_id": spec.bot.id,
        "bot_id": spec.bot_id,
        "is_enterprise_install": False,
    }


def user_json(api: Api, person: Person) -> Json:
    """A user object. Of a partner, Slack tells less: is_stranger, and no e-mail."""
    partner = person.kind is Kind.PARTNER
    deleted = is_deleted(api, person)
    avatar = f"{api.base_url}/avatar/{person.id}.svg"
    profile: Json = {
        "title": person.title,
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": person.team_id or api.workspace.spec.team_id,
        **{f"image_{size}": avatar for size in (24, 32, 48, 72, 192, 512)},
    }
    if person.email and not partner and EMAIL in api.scopes:
        profile["email"] = person.email
    if person.kind is Kind.BOT:
        profile |= {"bot_id": api.workspace.spec.bot_id, "api_app_id": api.workspace.spec.app_id}
    out: Json = {
        "id": person.id,
        "team_id": person.team_id or api.workspace.spec.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": deleted,
        "tz": person.tz,
        "profile": profile,
        "is_bot": person.kind is Kind.BOT,
        "is_app_user": False,
        "updated": 0,
    }
    if not deleted:
        out |= {
            "is_admin": person.kind is Kind.ADMIN,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": person.kind is Kind.GUEST,
            "is_ultra_restricted": False,
        }
    return {**out, "is_stranger": True} if partner else out


def is_deleted(api: Api, person: Person) -> bool:
    """Whether Slack calls the account deleted: deactivated from the beginning, or by a fault just now."""
    return person.kind is Kind.DELETED or person.id in api.faults.now.deactivated


def users_info(api: Api, arguments: Arguments) -> Json:
    return {"user": user_json(api, api.workspace.person(arguments.text("user")))}


def users_list(api: Api, arguments: Arguments) -> Json:
    members = [user_json(api, p) for p in api.workspace.spec.people if p.kind is not Kind.PARTNER]
    rows, more = api.page(members, arguments.number("limit", 200, 1_000), arguments.optional("cursor"))
    return {"members": rows, "cache_ts": int(api.workspace.now()), "response_metadata": more}


def users_lookup_by_email(api: Api, arguments: Arguments) -> Json:
    wanted = arguments.text("email").strip().lower()
    for person in api.workspace.spec.people:
        if person.email.lower() == wanted and person.kind is not Kind.PARTNER and not is_deleted(api, person):
            return {"user": user_json(api, person)}
    raise SlackError("users_not_found")


def _usergroup_json(api: Api, group: Usergroup, with_users: bool) -> Json:
    out: Json = {
        "id": group.id,
        "team_id": api.workspace.spec.team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return {**out, "users": list(group.users)} if with_users else out


def usergroups_list(api: Api, arguments: Arguments) -> Json:
    with_users = arguments.flag("include_users")
    return {"usergroups": [_usergroup_json(api, g, with_users) for g in api.workspace.usergroups.values()]}


def usergroups_users_list(api: Api, arguments: Arguments) -> Json:
    wanted = arguments.text("usergroup")
    group = api.workspace.usergroups.get(wanted)
    if group is None:
        raise SlackError("no_such_subteam")
    every = arguments.flag("include_disabled")
    return {"users": [user for user in group.users if every or not is_deleted(api, api.workspace.people[user])]}


def channel_json(api: Api, conversation: Conversation) -> Json:
    """A conversation object of the Web API."""
    base: Json = {
        "id": conversation.id,
        "created": 0,
        "is_im": conversation.is_im,
        "is_mpim": conversation.id.startswith("G") and conversation.name.startswith("mpdm-"),
        "is_archived": conversation.archived or conversation.id in api.faults.now.archived,
        "context_team_id": api.workspace.spec.team_id,
    }
    if conversation.is_im:
        others = [user for user in conversation.members if user != api.workspace.spec.bot.id]
        return {**base, "user": others[0], "is_open": True}
    shared = any(api.workspace.people[user].kind is Kind.PARTNER for user in conversation.members)
    return {
        **base,
        "name": conversation.name,
        "is_channel": conversation.id.startswith("C"),
        "is_group": conversation.private,
        "is_private": conversation.private,
        "is_general": False,
        "is_ext_shared": shared,
        "is_member": api.workspace.spec.bot.id in conversation.members,
        "topic": {"value": conversation.topic, "creator": "", "last_set": 0},
        "num_members": len(conversation.members),
    }


def conversations_open(api: Api, arguments: Arguments) -> Json:
    channel = arguments.optional("channel")
    if channel:
        conversation = api.workspace.conversation(channel)
    else:
        users = arguments.json("users") if str(arguments.given.get("users", "")).startswith("[") else None
        given = users if isinstance(users, list) else str(arguments.given.get("users") or "").split(",")
        wanted = [str(user).strip() for user in given if str(user).strip()]
        if not wanted:
            raise SlackError("users_list_not_supplied")
        conversation = api.workspace.direct(*wanted)
    full = arguments.flag("return_im")
    return {"channel": channel_json(api, conversation) if full else {"id": conversation.id}}


def conversations_info(api: Api, arguments: Arguments) -> Json:
    return {"channel": channel_json(api, _seen(api, arguments.text("channel")))}


def conversations_members(api: Api, arguments: Arguments) -> Json:
    members: list[Json] = [{"id": user} for user in _seen(api, arguments.text("channel")).members]
    rows, more = api.page(members, arguments.number("limit", 100, 1_000), arguments.optional("cursor"))
    return {"members": [row["id"] for row in rows], "response_metadata": more}


def conversations_list(api: Api, arguments: Arguments) -> Json:
    """Channels of the wanted types (public ones if none is named); direct messages are not listed here."""
    return _listed(api, arguments, lambda conversation: _is_seen(api, conversation))


def users_conversations(api: Api, arguments: Arguments) -> Json:
    """The same, of those that the app is in."""
    return _listed(api, arguments, lambda conversation: api.workspace.spec.bot.id in conversation.members)


def _listed(api: Api, arguments: Arguments, shows: Callable[[Conversation], bool]) -> Json:
    wanted = {kind.strip() for kind in (arguments.optional("types") or "public_channel").split(",")}
    shown = [
        channel_json(api, conversation)
        for conversation in api.workspace.conversations.values()
        if not conversation.is_im
        and not conversation.name.startswith("mpdm-")
        and ("private_channel" if conversation.private else "public_channel") in wanted
        and shows(conversation)
    ]
    if arguments.flag("exclude_archived"):
        shown = [channel for channel in shown if not channel["is_archived"]]
    rows, more = api.page(shown, arguments.number("limit", 100, 1_000), arguments.optional("cursor"))
    return {"channels": rows, "response_metadata": more}


def _is_seen(api: Api, conversation: Conversation) -> bool:
    return not conversation.private or api.workspace.spec.bot.id in conversation.members


def _seen(api: Api, channel: str) -> Conversation:
    """A public channel, or a private conversation with the app in it."""
    conversation = api.workspace.conversation(channel)
    if not _is_seen(api, conversation):
        raise SlackError("channel_not_found")
    return conversation

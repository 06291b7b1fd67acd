// What the page knows: a snapshot of the workspace as one person sees it, kept up to date by events.

export const state = {
  me: "", team: {}, app: {}, people: new Map(), groups: new Map(), rooms: {}, commands: [], scopes: [],
  channels: [], messages: {}, views: [], home: null, faults: { archived: [], missing_scopes: [], deactivated: [] }, epoch: "", seq: 0,
  place: null, // {kind: "channel", id} or {kind: "home"} or {kind: "about"}
  elsewhere: new Set(), // ids of modals that were opened before the page was loaded: in Slack a modal lives and dies with its client
  thread: null, // ts of the parent of the open thread
  read: new Map(JSON.parse(sessionStorage.getItem("read") || "[]")), // `${user} ${channel}` -> ts up to which they have read
  newFrom: null, // ts of the last message read before this channel was opened
  warnings: new Map(), // `${channel} ${ts}` -> {block_id, text}
  answers: new Map(), // `${channel} ${ts}` -> {block_id: {action_id: raw}} chosen in a message
};

export const person = (id) => state.people.get(id) || { id, name: id, real_name: id, initials: "?", colour: "#666", kind: "member" };
export const nameOf = (id) => state.people.get(id)?.real_name;
export const groupOf = (id) => state.groups.get(id)?.handle;
export const roomOf = (id) => state.rooms[id];
export const channel = (id) => state.channels.find((each) => each.id === id);
export const key = (message) => `${message.channel} ${message.ts}`;

export function load(snapshot) {
  const { people, usergroups, ...rest } = snapshot;
  Object.assign(state, rest);
  state.people = new Map(people.map((each) => [each.id, each]));
  state.groups = new Map(usergroups.map((each) => [each.id, each]));
  state.elsewhere = new Set(state.views.map((each) => each.id));
  state.views = [];
  state.warnings.clear();
  state.answers.clear();
}

/** Apply one event; answers what has to be drawn again. */
export function apply({ kind, data }) {
  if (kind === "views") {
    state.views = data.views.filter((each) => !state.elsewhere.has(each.id));
    state.home = data.home;
    return "views";
  }
  if (kind === "faults") {
    state.faults = data;
    return "faults";
  }
  if (kind === "usergroup") {
    state.groups.set(data.id, data);
    return "faults";
  }
  if (kind === "channel") {
    const known = channel(data.id);
    if (known) Object.assign(known, data);
    else state.channels.push(data);
    state.messages[data.id] ||= [];
    return "messages";
  }
  const rows = (state.messages[data.channel] ||= []);
  const at = rows.findIndex((each) => each.ts === data.ts);
  if (kind === "deleted") {
    if (at >= 0) rows.splice(at, 1);
    if (state.thread === data.ts) state.thread = null;
  } else if (at >= 0) {
    rows[at] = { ...data, changed: kind === "changed" };
    state.warnings.delete(key(data));
    state.answers.delete(key(data));
  } else {
    rows.push(data);
  }
  return "messages";
}

export const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;

const readKey = (id) => `${state.me} ${id}`;
export const readUpTo = (id) => state.read.get(readKey(id)) || "";
export const unread = (id) =>
  (state.messages[id] || []).filter((each) => each.ts > readUpTo(id) && each.user !== state.me && !isReply(each)).length;

export function markRead(id) {
  const rows = state.messages[id] || [];
  if (!rows.length || readUpTo(id) === rows.at(-1).ts) return;
  state.read.set(readKey(id), rows.at(-1).ts);
  sessionStorage.setItem("read", JSON.stringify([...state.read]));
}

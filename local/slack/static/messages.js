// One message: who, when, what, its reactions, its thread.

import { post } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { busy, rawOf } from "./dialogs.js";
import { avatar, el, link } from "./dom.js";
import { icon } from "./icons.js";
import { isReply, key, person, state } from "./store.js";
import { clock, dayName, emoji, formatDate, mrkdwn } from "./text.js";

export const when = (ts) => new Date(Number(ts) * 1000);

function initial(element) {
  const value = element.initial_option?.value ?? element.initial_options?.map((each) => each.value);
  return value ?? rawOf({ value: Object.entries(element).find(([name]) => name.startsWith("initial_"))?.[1] ?? null });
}

function host(message, redraw) {
  const answers = state.answers.get(key(message)) || {};
  return {
    warning: state.warnings.get(key(message)),
    redraw,
    answer: (block, element) => answers[block.block_id]?.[element.action_id] ?? initial(element),
    set: (block, element, raw) => {
      if (element.type === "button" || element.type === "overflow") return;
      (answers[block.block_id] ||= {})[element.action_id] = raw;
      state.answers.set(key(message), answers);
    },
    act: async (block, element, raw, node) => {
      state.warnings.delete(key(message));
      busy(node, true);
      const where = { as: state.me, channel: message.channel, ts: message.ts };
      const use = { action_id: element.action_id, block_id: block.block_id, value: raw, values: answers };
      const answer = await post("click", { ...where, ...use });
      busy(node, false);
      if (!answer.ok) state.warnings.set(key(message), { block_id: block.block_id, text: answer.error });
      redraw();
    },
  };
}

function attachment(each, blockHost) {
  const colour = { good: "#15803d", warning: "#b45309", danger: "#b91c1c" }[each.color] || each.color || "";
  const bar = /^#?[0-9a-fA-F]{6}$/.test(colour) ? (colour.startsWith("#") ? colour : `#${colour}`) : "";
  return el("div", { class: "attachment", style: bar ? { borderLeftColor: bar } : {} },
    each.pretext && el("p", {}, mrkdwn(each.pretext)),
    each.title && el("p", {}, el("strong", {}, each.title_link ? link(each.title_link, each.title) : each.title)),
    each.blocks.length ? renderBlocks(each.blocks, blockHost) : each.text && el("div", {}, mrkdwn(each.text)),
    each.footer && el("p", { class: "b-context" }, mrkdwn(each.footer)));
}

function fileCard(file) {
  const size = file.size < 1024 ? `${file.size} bytes` : `${Math.round(file.size / 1024)} KB`;
  return el("figure", { class: "file" },
    el("figcaption", {}, el("strong", {}, file.title), el("span", {}, `${file.name}, ${size}`), link(file.url_private, "Open")),
    el("pre", { tabindex: "0" }, file.preview + (file.preview_is_truncated ? "\n…" : "")));
}

/** A message as a node. `compact` leaves out who it is, because the one above says so. */
export function renderMessage(message, { compact, redraw, openThread, inThread }) {
  const author = person(message.user);
  const time = when(message.ts);
  const blockHost = host(message, redraw);
  const app = author.kind === "bot";
  const stamp = el("a", {
    class: "stamp",
    href: `/archives/${message.channel}/p${message.ts.replace(".", "")}`,
    title: time.toLocaleString(),
    onclick: (event) => event.preventDefault(),
  }, clock(time));
  const mark = message.edited && !message.blocks && el("span", { class: "edited", title: when(message.edited.ts).toLocaleString() }, " (edited)");
  const replies = message.reply_count && !inThread && el("button", { type: "button", class: "replies", onclick: () => openThread(message) },
    message.reply_users.slice(0, 3).map((id) => avatar(person(id), "tiny")),
    el("strong", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`),
    el("span", {}, `last ${dayName(when(message.latest_reply)) === "today" ? "at " + clock(when(message.latest_reply)) : formatDate(when(message.latest_reply), "{date_short}")}`));
  return el("article", {
    class: `message ${compact ? "compact" : ""} ${message.ephemeral ? "ephemeral" : ""}`,
    data: { ts: message.ts },
    tabindex: "-1",
    "aria-label": `${author.real_name}, ${clock(time)}`,
  },
  compact ? stamp : avatar(author),
  el("div", { class: "message-main" },
    message.ephemeral && el("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
    !compact && el("p", { class: "who" }, el("strong", {}, author.real_name), app && el("span", { class: "badge" }, "App"),
      author.kind === "guest" && el("span", { class: "badge" }, "Guest"), author.kind === "partner" && el("span", { class: "badge" }, "External"), stamp),
    message.blocks ? renderBlocks(message.blocks, blockHost) : message.text && el("div", { class: "words" }, mrkdwn(message.text), mark),
    message.attachments?.map((each) => attachment(each, blockHost)),
    message.files?.map(fileCard),
    message.reactions && el("p", { class: "reactions" }, message.reactions.map((each) =>
      el("span", { class: "reaction", title: each.users.map((id) => person(id).real_name).join(", ") }, emoji(each.name), ` ${each.count}`))),
    replies),
  !inThread && !message.ephemeral && !isReply(message) &&
    el("button", { type: "button", class: "icon reply", title: "Reply in thread", "aria-label": "Reply in thread", onclick: () => openThread(message) }, icon("reply")));
}

const drawn = new Map(); // list id -> Map of key -> {print, node}: nodes are kept while what they show is the same

/** Draw a list of messages, touching only what changed, so that focus and open menus stay. */
export function renderList(node, name, messages, options) {
  const before = drawn.get(name) || new Map();
  const after = new Map();
  const rows = [];
  let last = null;
  const line = (text, kind = "") => {
    const known = before.get(`line ${text}`) || { node: el("p", { class: `divider ${kind}` }, el("span", {}, text)) };
    after.set(`line ${text}`, known);
    return known.node;
  };
  for (const message of messages) {
    const day = when(message.ts).toDateString();
    if (!options.inThread && day !== (last && when(last.ts).toDateString())) rows.push(line(dayText(message)));
    if (options.newFrom && message.ts > options.newFrom && !(last && last.ts > options.newFrom)) {
      rows.push(line("New", "new"));
      last = null;
    }
    if (options.inThread && rows.length === 1) {
      rows.push(line(messages.length === 2 ? "1 reply" : `${messages.length - 1} replies`));
      last = null;
    }
    const near = last && last.user === message.user && message.ts - last.ts < 300 && day === when(last.ts).toDateString();
    const compact = Boolean(near && !message.ephemeral && !last.ephemeral && !message.blocks);
    const print = JSON.stringify([message, compact, state.warnings.get(key(message)), options.inThread, state.me]);
    const known = before.get(key(message));
    let shown = known?.node;
    if (known?.print !== print) {
      shown = renderMessage(message, { ...options, compact });
      if (known && message.changed) shown.classList.add("flash");
    }
    after.set(key(message), { print, node: shown });
    rows.push(shown);
    last = message;
  }
  drawn.set(name, after);
  place(node, rows);
}

/** Make `rows` the children of `node`, touching only what differs; the focus stays with the same control of a message. */
function place(node, rows) {
  const active = document.activeElement;
  const held = node.contains(active) ? active.closest("article.message") : null;
  const wanted = new Set(rows);
  for (const child of [...node.childNodes]) if (!wanted.has(child)) child.remove();
  let at = node.firstChild;
  for (const row of rows) {
    if (row === at) at = at.nextSibling;
    else node.insertBefore(row, at);
  }
  if (!held || node.contains(document.activeElement)) return;
  const message = node.querySelector(`article[data-ts="${held.dataset.ts}"]`);
  const action = active.closest("[data-action]")?.dataset.action;
  const control = action && message?.querySelector(`[data-action="${CSS.escape(action)}"]`);
  (control || message)?.focus({ preventScroll: true });
}

function dayText(message) {
  const day = dayName(when(message.ts));
  return day ? day[0].toUpperCase() + day.slice(1) : formatDate(when(message.ts), "{date_long}");
}

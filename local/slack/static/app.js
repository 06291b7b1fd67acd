// The page: what is where, and what happens when something is chosen.

import { follow, post, snapshot } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { choosePerson, renderModal, viewHost } from "./dialogs.js";
import { avatar, el, fill } from "./dom.js";
import { renderWeather } from "./faults.js";
import { completes } from "./hints.js";
import { icon } from "./icons.js";
import { renderList } from "./messages.js";
import { apply, channel, isReply, load, markRead, person, readUpTo, state, unread } from "./store.js";
import { spoken } from "./text.js";

const at = (id) => document.getElementById(id);
const [side, list, scroll, thread, text] = ["side", "list", "scroll", "thread", "composer-text"].map(at);
let source = null;
let stuck = true; // the newest message stays in view while pictures arrive and messages grow
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;

async function actAs(user) {
  source?.close();
  load(await snapshot(user));
  sessionStorage.setItem("acting-as", state.me);
  state.thread = null;
  const keep = state.place?.kind === "channel" ? channel(state.place.id) : state.place;
  const linked = linkedMessage();
  if (linked && channel(linked.channel)) open({ kind: "channel", id: linked.channel });
  else if (keep) open(state.place);
  else open({ kind: "channel", id: state.channels.find((each) => each.id[0] === "C")?.id || state.channels[0].id });
  history.replaceState(null, "", "/"); // a reload keeps the person chosen since
  if (linked) reveal(linked.ts);
  source = follow(state.me, state.epoch, state.seq, onEvent, (connected) => { at("offline").hidden = connected; });
  renderModal();
}

function linkedMessage() {
  const found = location.pathname.match(/^\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})$/);
  return found && { channel: found[1], ts: `${found[2]}.${found[3]}` };
}

function reveal(ts) {
  requestAnimationFrame(() => {
    const node = list.querySelector(`article[data-ts="${ts}"]`);
    stuck = !node;
    node?.scrollIntoView({ block: "center" });
    node?.classList.add("flash");
    node?.focus({ preventScroll: true });
  });
}

function onEvent(event) {
  if (event.kind === "restarted") {
    actAs(state.me);
    return;
  }
  const what = apply(event);
  if (what === "views") {
    renderModal();
    if (state.place.kind === "home") render();
    return;
  }
  if (what === "faults") {
    renderWeather();
    return;
  }
  if (event.kind === "message" && event.data.user !== state.me) {
    const where = event.data.channel === state.place.id ? "" : ` in ${title(channel(event.data.channel))}`;
    at("live").textContent = `${person(event.data.user).real_name}${where}: ${spoken(event.data)}`;
  }
  render();
}

// -- places ------------------------------------------------------------------------------------------------------

const title = (room) => (room.id[0] === "D" ? state.app.name : room.name.startsWith("mpdm-") ? members(room) : `#${room.name}`);
const members = (room) => room.members.filter((id) => id !== state.me).map((id) => person(id).real_name.split(" ")[0]).join(", ");

function open(place) {
  const moved = JSON.stringify(place) !== JSON.stringify(state.place);
  state.place = place;
  if (moved) {
    state.thread = null;
    say("");
  }
  state.newFrom = place.kind === "channel" ? readUpTo(place.id) : null;
  if (place.kind === "home") post("home", { as: state.me, tab: "home" }).then((answer) => {
    state.homeTrouble = answer.ok ? "" : answer.error;
    render();
  });
  drawer(false);
  stuck = place.kind === "channel";
  render();
  scroll.scrollTop = stuck ? scroll.scrollHeight : 0;
}

function render() {
  const room = state.place.kind === "channel" ? channel(state.place.id) : null;
  if (room && document.visibilityState === "visible") markRead(room.id);
  at("team").textContent = state.team.name;
  renderActing();
  renderWeather();
  renderSide();
  renderHead(room);
  if (room) renderRoom(room);
  else renderApp();
  if (room && stuck) scroll.scrollTop = scroll.scrollHeight;
  at("composer").hidden = !room || room.archived;
  text.placeholder = room ? `Message ${title(room)}` : "";
  text.setAttribute("aria-label", room ? `Message ${title(room)}` : "Message");
  renderThread(room);
  const waiting = state.channels.filter((each) => unread(each.id)).length;
  document.title = `${waiting ? `(${waiting}) ` : ""}${room ? title(room) : state.app.name} · Local Slack page`;
}

function renderActing() {
  const me = person(state.me);
  const name = el("span", { class: "acting-name" }, el("small", {}, "Acting as"), el("strong", {}, me.real_name));
  const button = fill(at("acting"), avatar(me, "small"), name, icon("down"));
  button.setAttribute("aria-label", `Acting as ${me.real_name}. Change person`);
}

function entry(place, label, sign, count, here = place.kind === state.place.kind && place.id === state.place.id) {
  return el("li", {}, el("button", {
    type: "button",
    class: `entry ${count ? "unread" : ""}`,
    "aria-current": here ? "page" : undefined,
    "aria-label": count ? `${label}, ${count} unread` : undefined,
    data: { place: place.id || place.kind },
    onclick: () => open(place),
  }, sign, el("span", { class: "entry-name" }, label),
  count ? el("span", { class: "count" }, String(count)) : null));
}

/** The app is one entry: its messages when some are unread, else its Home. */
function appEntry() {
  const count = unread(state.app.dm);
  const place = count ? { kind: "channel", id: state.app.dm } : { kind: "home" };
  const here = state.place.kind !== "channel" || state.place.id === state.app.dm;
  return entry(place, state.app.name, avatar(person(state.app.user), "tiny"), count, here);
}

function renderSide() {
  const focused = side.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  const rooms = state.channels.filter((each) => each.id[0] === "C");
  const direct = state.channels.filter((each) => each.id[0] === "G" || (each.id[0] === "D" && each.id !== state.app.dm));
  const row = (each) => entry({ kind: "channel", id: each.id }, title(each).replace(/^#/, ""),
    each.id[0] === "D" ? avatar(person(state.app.user), "tiny") : el("span", { class: "hash" }, icon(each.private ? "lock" : "hash")), unread(each.id));
  fill(side,
    el("h2", {}, "Channels"), el("ul", {}, rooms.map(row)),
    direct.length ? [el("h2", {}, "Direct messages"), el("ul", {}, direct.map(row))] : null,
    el("h2", {}, "Apps"), el("ul", {}, appEntry()));
  if (focused) side.querySelector(`[data-place="${focused}"]`)?.focus();
}

function renderHead(room) {
  const dm = state.app.dm;
  if (room && room.id !== dm) {
    const count = room.members.length;
    fill(at("head"), el("h1", {}, title(room)), room.topic && el("p", {}, room.topic), room.archived && el("span", { class: "badge" }, "Archived"),
      el("span", { class: "faces", title: room.members.map((id) => person(id).real_name).join(", ") },
        room.members.slice(0, 3).map((id) => avatar(person(id), "tiny")), el("span", {}, `${count} members`)));
    return;
  }
  const tab = (place, label) => el("button", { type: "button", class: "tab", "aria-current": JSON.stringify(place) === JSON.stringify(state.place) ? "page" : undefined, onclick: () => open(place) }, label);
  fill(at("head"), avatar(person(state.app.user), "small"), el("h1", {}, state.app.name),
    el("div", { class: "tabs" }, tab({ kind: "home" }, "Home"), tab({ kind: "channel", id: dm }, "Messages"), tab({ kind: "about" }, "About")));
}

function renderRoom(room) {
  if (list.className !== "messages") fill(list);
  list.className = "messages";
  const rows = state.messages[room.id].filter((each) => !isReply(each));
  if (!rows.length) {
    fill(list, el("div", { class: "empty" }, el("p", { class: "big" }, title(room)),
      el("p", {}, room.id === state.app.dm ? `Messages between you and ${state.app.name} appear here.` : "Nothing here yet. Messages appear as they are sent, without reloading."),
      el("p", {}, "Type ", el("code", {}, state.commands[0]?.name || "/"), " to talk to the app.")));
    return;
  }
  renderList(list, "room", rows, { redraw: render, openThread, newFrom: state.newFrom });
}

let homeShown = "";
function renderApp() {
  if (state.place.kind === "about") {
    homeShown = "";
    list.className = "home";
    fill(list, el("p", { class: "b-header" }, state.app.name), el("p", {}, person(state.app.user).title),
      el("p", {}, "Commands"), el("ul", {}, state.commands.map((each) => el("li", {}, el("code", {}, `${each.name} ${each.hint}`), ` ${each.description}`))));
    return;
  }
  const print = `${state.me} ${state.home?.hash} ${state.homeTrouble}`;
  if (list.className === "home" && homeShown === print) return;
  homeShown = print;
  list.className = "home";
  fill(list,
    state.homeTrouble && el("p", { class: "app-warning", role: "alert" }, "⚠️ ", state.homeTrouble),
    state.home
      ? renderBlocks(state.home.blocks, viewHost(state.home, { warning: null, onAnswer: (answer) => { state.homeTrouble = answer.ok ? "" : answer.error; render(); } }))
      : el("div", { class: "empty" }, el("p", { class: "big" }, "Nothing here yet"), el("p", {}, `${state.app.name} has not published a Home for you.`)));
}

// -- threads -----------------------------------------------------------------------------------------------------

function openThread(message) {
  state.thread = message.thread_ts || message.ts;
  render();
  thread.querySelector("textarea")?.focus();
}

let threadShown = "";
function renderThread(room) {
  const parent = room && state.thread && state.messages[room.id].find((each) => each.ts === state.thread);
  document.body.classList.toggle("with-thread", Boolean(parent));
  thread.hidden = !parent;
  if (!parent) {
    threadShown = "";
    return;
  }
  if (threadShown !== `${room.id} ${parent.ts} ${state.me}`) {
    threadShown = `${room.id} ${parent.ts} ${state.me}`;
    const box = el("textarea", { rows: "1", placeholder: "Reply…", "aria-label": "Reply in thread" });
    const send = async (event) => {
      event.preventDefault();
      if (!box.value.trim()) return;
      const answer = await post("say", { as: state.me, channel: room.id, text: box.value, thread_ts: parent.ts });
      if (answer.ok) box.value = "";
    };
    enterSends(box, send);
    fill(thread,
      el("header", {}, el("h2", {}, "Thread"), el("small", {}, title(room)),
        el("button", { type: "button", class: "icon", "aria-label": "Close thread", onclick: () => { state.thread = null; render(); text.focus(); } }, icon("close"))),
      el("div", { class: "thread-scroll", role: "region", tabindex: "0", "aria-label": "Replies" }, el("div", { class: "messages" })),
      el("form", { class: "thread-form", onsubmit: send }, box, el("button", { type: "submit", class: "send", "aria-label": "Send reply" }, icon("send"))));
  }
  const rows = state.messages[room.id].filter((each) => each.ts === parent.ts || each.thread_ts === parent.ts);
  const box = thread.querySelector(".thread-scroll");
  const low = atEnd(box);
  renderList(box.firstElementChild, "thread", rows, { redraw: render, openThread, inThread: true });
  if (low) box.scrollTop = box.scrollHeight;
}

// -- writing -----------------------------------------------------------------------------------------------------

const say = (sentence) => { at("composer-said").textContent = sentence; };

function enterSends(box, send) {
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  });
  box.addEventListener("input", () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, 180)}px`;
  });
}

async function send(event) {
  event.preventDefault();
  const written = text.value;
  if (!written.trim()) return;
  const where = { as: state.me, channel: state.place.id };
  const command = written.match(/^(\/\S+)\s*([\s\S]*)$/);
  text.value = "";
  text.dispatchEvent(new Event("input"));
  if (command) say(`${command[1]} …`);
  const answer = command
    ? await post("slash", { ...where, command: command[1], text: command[2].trim() })
    : await post("say", { ...where, text: written });
  say("");
  if (!answer.ok && !command) {
    say(answer.error);
    text.value = written;
  }
}

// -- start -------------------------------------------------------------------------------------------------------

function drawer(on) {
  document.body.classList.toggle("drawer", on);
  at("shade").hidden = !on;
  at("menu").setAttribute("aria-expanded", String(on));
  if (on) side.querySelector("[aria-current], .entry")?.focus();
}

at("menu").addEventListener("click", () => drawer(!document.body.classList.contains("drawer")));
at("shade").addEventListener("click", () => drawer(false));
at("acting").addEventListener("click", () => choosePerson(actAs));
at("composer").addEventListener("submit", send);
completes(text, at("hints")); // before Enter sends: it may choose a suggestion
enterSends(text, send);
fill(at("menu"), icon("menu"));
fill(at("send"), icon("send"));
new ResizeObserver(() => { if (stuck) scroll.scrollTop = scroll.scrollHeight; }).observe(list);
scroll.addEventListener("scroll", () => { stuck = state.place?.kind === "channel" && atEnd(scroll); }); // a Home is read from its top
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("drawer")) {
    drawer(false);
    at("menu").focus();
  } else if (state.thread && thread.contains(document.activeElement)) {
    state.thread = null;
    render();
    text.focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.overflow[open], details.multiple[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("visibilitychange", () => state.place && render());

actAs(new URLSearchParams(location.search).get("as") || sessionStorage.getItem("acting-as"));

// Modals, confirmations, the choice of a person. The browser's own <dialog> traps the focus, makes the rest of the page
// inert and gives the focus back.

import { post } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { avatar, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { person, state } from "./store.js";
import { plain, textObject } from "./text.js";

const modal = document.getElementById("modal");
const confirm = document.getElementById("confirm");
const people = document.getElementById("people");

/** Ask as the app wishes; true when the person is sure. */
export function confirmed(asked) {
  return new Promise((resolve) => {
    const done = (sure) => {
      confirm.oncancel = null;
      confirm.close();
      resolve(sure);
    };
    fill(confirm,
      el("h2", { id: "confirm-title" }, plain(asked.title)),
      el("div", { class: "confirm-text" }, textObject(asked.text)),
      el("footer", {},
        el("button", { type: "button", class: "button", onclick: () => done(false) }, plain(asked.deny)),
        el("button", { type: "button", class: `button ${asked.style || "primary"}`, autofocus: true, onclick: () => done(true) }, plain(asked.confirm))));
    confirm.oncancel = (event) => {
      event.preventDefault();
      done(false);
    };
    confirm.showModal();
  });
}

/** Who to act as. */
export function choosePerson(onChosen) {
  const actors = [...state.people.values()].filter((each) => each.may_act);
  fill(people,
    el("header", {}, el("h2", { id: "people-title" }, "Act as"),
      el("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => people.close() }, icon("close"))),
    el("p", { class: "hint" }, "What you see and what you may do changes with the person."),
    el("ul", { class: "people" }, actors.map((each) =>
      el("li", {}, el("button", {
        type: "button",
        "aria-current": each.id === state.me ? "true" : undefined,
        autofocus: each.id === state.me,
        onclick: () => {
          people.close();
          onChosen(each.id);
        },
      }, avatar(each), el("span", {}, el("strong", {}, each.real_name), el("small", {}, each.title)),
      each.kind === "guest" && el("span", { class: "badge" }, "Guest"),
      each.kind === "partner" && el("span", { class: "badge" }, "External"))))));
  people.showModal();
}

// -- views -------------------------------------------------------------------------------------------------------

export function rawOf(answer) {
  if (!answer) return null;
  if ("selected_option" in answer) return answer.selected_option?.value ?? null;
  if ("selected_options" in answer) return answer.selected_options.map((each) => each.value);
  const name = Object.keys(answer).find((each) => each !== "type");
  return answer[name];
}

const drafts = new Map(); // view id -> {block_id: {action_id: raw}}: what was typed since the app last looked

/** The host of a view's blocks, see blocks.js. */
export function viewHost(view, extra = {}) {
  const draft = drafts.get(view.id) || drafts.set(view.id, {}).get(view.id);
  const known = (block, element) => view.state.values[block.block_id]?.[element.action_id];
  return {
    answer: (block, element) => draft[block.block_id]?.[element.action_id] ?? rawOf(known(block, element)),
    set: (block, element, raw) => {
      if (known(block, element)) (draft[block.block_id] ||= {})[element.action_id] = raw;
    },
    act: async (block, element, raw, node) => {
      busy(node, true);
      const body = { as: state.me, view_id: view.id, action_id: element.action_id, block_id: block.block_id, value: raw };
      const answer = await post("act", { ...body, values: current(view) });
      busy(node, false);
      extra.onAnswer?.(answer, block);
    },
    ...extra,
  };
}

/** The draft, as far as the view still has its fields. */
function current(view) {
  const values = {};
  for (const [block, answers] of Object.entries(drafts.get(view.id) || {})) {
    for (const [action, raw] of Object.entries(answers)) {
      if (view.state.values[block]?.[action]) (values[block] ||= {})[action] = raw;
    }
  }
  return values;
}

export function busy(node, on) {
  if (!node) return;
  node.toggleAttribute("aria-busy", on);
  if (on) node.setAttribute("aria-busy", "true");
  if ("disabled" in node && node.tagName === "BUTTON") node.disabled = on;
}

let shown = ""; // id and hash of the view in the dialog

export function renderModal() {
  const view = state.views.at(-1);
  if (!view) {
    if (modal.open) modal.close();
    if (shown) drafts.clear();
    shown = "";
    return;
  }
  if (shown === `${state.me} ${view.id} ${view.hash}` && modal.open) return;
  shown = `${state.me} ${view.id} ${view.hash}`;
  draw(view, {}, "");
  if (!modal.open) modal.showModal();
  focusFirst();
}

function draw(view, errors, trouble) {
  const host = viewHost(view, {
    errors,
    onAnswer: (answer) => {
      if (!answer.ok) notice.textContent = answer.error;
    },
  });
  const notice = el("p", { class: "modal-trouble", role: "alert" }, trouble);
  const app = person(state.app.user);
  const close = () => post("close", { as: state.me, view_id: view.id });
  const submit = async (event) => {
    event.preventDefault();
    const send = form.querySelector("button[type=submit]");
    if (!send || send.disabled) return;
    busy(send, true);
    const answer = await post("submit", { as: state.me, view_id: view.id, values: current(view) });
    busy(send, false);
    if (answer.ok || shown !== `${state.me} ${view.id} ${view.hash}`) return;
    draw(view, answer.errors || {}, answer.error);
    (modal.querySelector("[aria-invalid] input, input[aria-invalid], textarea[aria-invalid], select[aria-invalid]") || modal.querySelector("[type=submit]"))?.focus();
  };
  const form = el("form", { novalidate: true, onsubmit: submit },
    el("header", {},
      view.previous_view_id ? el("button", { type: "button", class: "icon", "aria-label": "Back", onclick: close }, icon("back")) : avatar(app, "small"),
      el("h2", { id: "modal-title" }, plain(view.title)),
      el("button", { type: "button", class: "icon", "aria-label": "Close dialog", onclick: close }, icon("close"))),
    el("div", { class: "modal-body" }, renderBlocks(view.blocks, host), notice),
    el("footer", {},
      el("button", { type: "button", class: "button", onclick: close }, view.close ? plain(view.close) : "Cancel"),
      view.submit && el("button", { type: "submit", class: "button primary", disabled: view.submit_disabled === true }, el("span", {}, plain(view.submit)))));
  fill(modal, form);
  modal.oncancel = (event) => {
    event.preventDefault();
    close();
  };
}

function focusFirst() {
  const body = modal.querySelector(".modal-body");
  const wanted = body?.querySelector("[autofocus]") || body?.querySelector("input, textarea, select, summary, button");
  (wanted || modal.querySelector("footer .button.primary, footer .button"))?.focus();
}

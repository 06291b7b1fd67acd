// Slack's bad sides, to be switched on and off while the app runs.

import { post } from "./api.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./store.js";

const dialog = document.getElementById("faults");
const button = document.getElementById("weather");

const SWITCHES = [
  ["outage", "Outage", "The Web API and response URLs answer 503."],
  ["duplicate_clicks", "Every click arrives twice", "Both copies at the same time."],
  ["reorder_clicks", "Clicks overtake each other", "Of two clicks, the second arrives first."],
  ["expired_triggers", "Triggers have expired", "A dialog opened for a click is refused."],
];
const NUMBERS = [
  ["rate_limit", "Web API calls answered 429", "calls", 1],
  ["retry_after", "Retry-After told with a 429", "seconds", 1],
  ["lost_clicks", "Clicks that never reach the app", "clicks", 1],
  ["slow_front", "Delay of the app's answers", "seconds", 0.5],
];

const LISTS = ["archived", "missing_scopes", "deactivated"];

const bad = (faults) => SWITCHES.some(([name]) => faults[name]) || ["rate_limit", "lost_clicks", "slow_front"].some((name) => faults[name] > 0) || LISTS.some((name) => faults[name].length > 0);

/** The button in the bar says whether anything is wrong on purpose. */
export function renderWeather() {
  const on = bad(state.faults);
  button.classList.toggle("on", on);
  button.setAttribute("aria-label", on ? "Slack's bad sides: some are on" : "Slack's bad sides: all off");
  fill(button, icon("storm"), on && el("span", {}, "Faults on"));
}

export function openFaults() {
  const set = async (change) => {
    const answer = await post("faults", change);
    trouble.textContent = answer.ok ? "" : answer.error;
  };
  const trouble = el("p", { class: "modal-trouble", role: "alert" });
  const tick = (name, label, about, on, act) => el("label", { class: "fault" },
    el("input", { type: "checkbox", checked: on, data: { fault: name }, onchange: (event) => act(event.target.checked) }),
    el("span", {}, label, about && el("small", {}, about)));
  const rooms = state.channels.filter((each) => each.id[0] === "C");
  const list = (name, id, on) => set({ [name]: on ? [...state.faults[name], id] : state.faults[name].filter((each) => each !== id) });
  const regroup = async (id, user, on) => {
    const others = state.groups.get(id).users.filter((each) => each !== user);
    const answer = await post("usergroup", { id, users: on ? [...others, user] : others });
    trouble.textContent = answer.ok ? "" : answer.error;
  };
  const listed = (name, id, label) => tick(`${name}-${id}`, label, "", state.faults[name].includes(id), (on) => list(name, id, on));
  fill(dialog,
    el("header", {}, el("h2", { id: "faults-title" }, "Slack's bad sides"),
      el("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    el("div", { class: "fault-list" },
      SWITCHES.map(([name, label, about]) => tick(name, label, about, state.faults[name], (on) => set({ [name]: on }))),
      NUMBERS.map(([name, label, unit, step]) => el("label", { class: "fault number" },
        el("span", {}, label, el("small", {}, unit)),
        el("input", { type: "number", min: "0", max: "60", step: String(step), class: "text", value: String(state.faults[name]), data: { fault: name }, onchange: (event) => set({ [name]: Number(event.target.value) }) }))),
      rooms.map((each) => listed("archived", each.id, `#${each.name} is archived`)),
      [...state.people.values()].filter((each) => each.may_act).map((each) => listed("deactivated", each.id, `Slack calls ${each.real_name} deactivated`)),
      [...state.groups.values()].flatMap((group) => [...state.people.values()].filter((each) => each.may_act && each.kind !== "partner").map((each) =>
        tick(`group-${group.id}-${each.id}`, `${each.real_name} is in @${group.handle}`, "", group.users.includes(each.id), (on) => regroup(group.id, each.id, on)))),
      state.scopes.map((scope) => listed("missing_scopes", scope, `The app's token lacks ${scope}`)),
      trouble),
    el("footer", {},
      el("button", { type: "button", class: "button", onclick: async () => {
        await set({ outage: false, duplicate_clicks: false, reorder_clicks: false, expired_triggers: false, rate_limit: 0, retry_after: 1, lost_clicks: 0, slow_front: 0, archived: [], missing_scopes: [], deactivated: [] });
        dialog.close();
      } }, "All off"),
      el("button", { type: "button", class: "button primary", onclick: () => dialog.close() }, "Done")));
  dialog.showModal();
}

button.addEventListener("click", openFaults);

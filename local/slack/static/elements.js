// Buttons, selects, inputs: real controls with labels, that tell their host what is done with them.

import { confirmed } from "./dialogs.js";
import { el, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./store.js";
import { plain, textObject } from "./text.js";

let serial = 0;
const fresh = (prefix) => `${prefix}-${(serial += 1)}`;
const words = (object) => (object ? plain(object).map((each) => each.textContent ?? each).join("") : "");
const optionsOf = (element) => [...(element.options || []), ...(element.option_groups || []).flatMap((group) => group.options)];

/** An element of a section or of actions: using it tells the app at once. */
export function interactive(block, element, host) {
  const use = async (raw, node, confirm = element.confirm) => {
    if (confirm && !(await confirmed(confirm))) {
      host.redraw?.();
      return;
    }
    host.set(block, element, raw);
    await host.act(block, element, raw, node);
  };
  if (element.type === "button") return button(element, use);
  if (element.type === "overflow") return overflow(element, use);
  const label = words(element.placeholder) || words(block.text).slice(0, 80) || "Choose";
  return control(block, element, host, { "aria-label": label }, (raw, node) => use(raw, node));
}

/** An input block: label, control, hint, error. It tells the app only with dispatch_action. */
export function field(block, host) {
  const id = fresh("field");
  const error = host.errors?.[block.block_id];
  const described = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const group = ["radio_buttons", "checkboxes"].includes(block.element.type) || block.element.type.startsWith("multi_");
  const onUse = block.dispatch_action ? (raw, node) => host.act(block, block.element, raw, node) : null;
  const attributes = {
    id,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? "true" : undefined,
    "aria-required": block.optional ? undefined : "true",
    ...(group ? { "aria-labelledby": `${id}-label` } : {}),
  };
  return el("div", { class: error ? "b-input wrong" : "b-input" },
    el(group ? "p" : "label", { class: "label", id: `${id}-label`, for: group ? undefined : id },
      plain(block.label), block.optional && el("span", { class: "optional" }, " (optional)")),
    control(block, block.element, host, attributes, onUse),
    error && el("p", { class: "field-error", id: `${id}-error` }, error),
    block.hint && el("p", { class: "hint", id: `${id}-hint` }, plain(block.hint)));
}

function button(element, use) {
  const node = el("button", {
    type: "button",
    class: `button ${element.style || ""}`,
    "aria-label": element.accessibility_label,
    data: { action: element.action_id, ...(element.value === undefined ? {} : { value: element.value }) },
    onclick: () => {
      const address = element.url && safeUrl(element.url);
      if (address) window.open(address, "_blank", "noopener,noreferrer");
      use(element.value ?? null, node);
    },
  }, el("span", {}, plain(element.text)));
  return node;
}

function overflow(element, use) {
  const menu = el("details", { class: "overflow", data: { action: element.action_id } },
    el("summary", { class: "button", "aria-label": "More actions" }, icon("more")),
    el("div", { class: "menu" }, element.options.map((option) =>
      el("button", {
        type: "button",
        onclick: () => {
          menu.open = false;
          const address = option.url && safeUrl(option.url);
          if (address) window.open(address, "_blank", "noopener,noreferrer");
          use(option.value, menu.firstElementChild);
        },
      }, plain(option.text), option.description && el("small", {}, plain(option.description))))));
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      event.stopPropagation();
      menu.open = false;
      menu.firstElementChild.focus();
    }
  });
  return menu;
}

/** The choices of a select, whatever it selects: [{label, options: [{value, text}]}]. */
function choices(element) {
  const kind = element.type.replace("multi_", "");
  if (kind === "users_select") {
    return [{ options: [...state.people.values()].filter((each) => each.may_act).map((each) => ({ value: each.id, text: each.real_name })) }];
  }
  if (kind === "channels_select" || kind === "conversations_select") {
    return [{ options: state.channels.filter((each) => each.id[0] === "C").map((each) => ({ value: each.id, text: `#${each.name}` })) }];
  }
  const shown = (option) => ({ value: option.value, text: words(option.text), description: words(option.description) });
  if (element.option_groups) return element.option_groups.map((g) => ({ label: words(g.label), options: g.options.map(shown) }));
  return [{ options: (element.options || []).map(shown) }];
}

function control(block, element, host, attributes, onUse) {
  const current = host.answer(block, element);
  const changed = (raw, node) => {
    host.set(block, element, raw);
    onUse?.(raw, node);
  };
  const common = { ...attributes, data: { action: element.action_id }, autofocus: element.focus_on_load };
  if (element.type.startsWith("multi_")) return multiple(element, current || [], common, changed);
  if (element.type.endsWith("_select")) return select(element, current, common, changed);
  if (element.type === "radio_buttons" || element.type === "checkboxes") return ticks(element, current, common, changed);
  return input(element, current, common, host, block, onUse);
}

function select(element, current, common, changed) {
  const node = el("select", { ...common, class: "select", onchange: () => changed(node.value || null, node) },
    el("option", { value: "" }, words(element.placeholder) || "Choose…"),
    choices(element).map(({ label, options }) => {
      const rows = options.map((each) => el("option", { value: each.value, selected: each.value === current }, each.text));
      return label ? el("optgroup", { label }, rows) : rows;
    }));
  return node;
}

function multiple(element, current, common, changed) {
  const chosen = new Set(current);
  const most = element.max_selected_items || Infinity;
  const title = el("span");
  const summary = el("summary", { class: "select" }, title, icon("down"));
  const options = choices(element).flatMap((group) => group.options);
  const name = () => {
    const shown = options.filter((each) => chosen.has(each.value)).map((each) => each.text).join(", ");
    title.textContent = shown || words(element.placeholder) || "Choose…";
  };
  name();
  const { data, ...rest } = common;
  return el("details", { class: "multiple", data },
    summary,
    el("div", { ...rest, class: "menu", role: "group" }, options.map((each) => {
      const box = el("input", { type: "checkbox", value: each.value, checked: chosen.has(each.value), onchange: () => {
        if (box.checked && chosen.size >= most) box.checked = false;
        else if (box.checked) chosen.add(each.value);
        else chosen.delete(each.value);
        name();
        changed([...chosen], summary);
      } });
      return el("label", {}, box, " ", each.text);
    })));
}

function ticks(element, current, common, changed) {
  const single = element.type === "radio_buttons";
  const group = fresh("tick");
  const chosen = new Set(single ? [current] : current || []);
  return el("div", { ...common, class: "ticks", role: single ? "radiogroup" : "group" }, optionsOf(element).map((option) => {
    const box = el("input", { type: single ? "radio" : "checkbox", name: group, value: option.value, checked: chosen.has(option.value), onchange: () => {
      if (single) return changed(option.value, box);
      if (box.checked) chosen.add(option.value);
      else chosen.delete(option.value);
      return changed([...chosen], box);
    } });
    return el("label", {}, box, el("span", {}, textObject(option.text),
      option.description && el("small", {}, textObject(option.description))));
  }));
}

const TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

function input(element, current, common, host, block, onUse) {
  const multiline = element.type === "plain_text_input" && element.multiline;
  const instant = element.type === "datetimepicker";
  const local = (stamp) => new Date(stamp * 1000 - new Date(stamp * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const raw = () => (instant ? (node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null) : node.value);
  const node = el(multiline ? "textarea" : "input", {
    ...common,
    class: "text",
    type: multiline ? undefined : TYPES[element.type] || "text",
    inputmode: element.type === "number_input" ? "decimal" : undefined,
    rows: multiline ? 4 : undefined,
    maxlength: element.max_length,
    placeholder: words(element.placeholder) || undefined,
    oninput: () => host.set(block, element, raw()),
    onkeydown: (event) => {
      if (event.key === "Enter" && !multiline && onUse) {
        event.preventDefault();
        onUse(raw(), node);
      }
    },
    onchange: () => element.type.endsWith("picker") && onUse?.(raw(), node),
  });
  if (current !== null && current !== undefined) node.value = instant ? local(current) : current;
  return node;
}

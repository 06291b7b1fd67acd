// What can be completed while writing: /commands and their words, @people, #channels. A listbox under the arrow keys.

import { avatar, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { person, state } from "./store.js";

/** {from, choices: [{text, sign, name, about}]} for what stands before the cursor; null when nothing fits. */
function fitting(before) {
  const word = before.match(/^(\/\S+)\s+(\S*)$/);
  const command = word && state.commands.find((each) => each.name === word[1]);
  if (command) {
    const words = command.hint.split("|").map((each) => each.trim()).filter(Boolean);
    const choices = words.filter((each) => each.startsWith(word[2]) && each !== word[2])
      .map((each) => ({ text: `${each.replace(/[\s[<].*$/, "")} `, sign: null, name: `${command.name} ${each}`, about: "" }));
    return { from: before.length - word[2].length, choices };
  }
  if (/^\/\S*$/.test(before)) {
    const choices = state.commands.filter((each) => each.name.startsWith(before))
      .map((each) => ({ text: `${each.name} `, sign: avatar(person(state.app.user), "small"), name: `${each.name} ${each.hint}`, about: each.description }));
    return { from: 0, choices };
  }
  const at = before.match(/(?:^|\s)([@#])([\w-]*)$/);
  if (!at) return null;
  const start = at[2].toLowerCase();
  const from = before.length - at[2].length - 1;
  if (at[1] === "#") {
    const rooms = Object.values(state.rooms).filter((each) => each.startsWith(start));
    return { from, choices: rooms.map((each) => ({ text: `#${each} `, sign: icon("hash"), name: each, about: "" })) };
  }
  const people = [...state.people.values()].filter((each) => each.id !== "USLACKBOT" && `${each.name} ${each.real_name}`.toLowerCase().split(" ").some((part) => part.startsWith(start)));
  return { from, choices: people.map((each) => ({ text: `@${each.name} `, sign: avatar(each, "small"), name: each.real_name, about: `@${each.name}` })) };
}

/** Give a textarea its list; `box` is an empty element over it. */
export function completes(text, box) {
  let choices = [];
  let from = 0;
  let chosen = 0;
  text.setAttribute("role", "combobox");
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", box.id);
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "Suggestions");

  const mark = () => {
    [...box.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === chosen)));
    box.children[chosen]?.scrollIntoView({ block: "nearest" });
    text.setAttribute("aria-activedescendant", choices.length ? `${box.id}-${chosen}` : "");
  };
  const take = (choice) => {
    const end = text.selectionStart;
    text.setRangeText(choice.text, from, end, "end");
    text.focus();
    show();
  };
  const hide = () => {
    choices = [];
    box.hidden = true;
    text.setAttribute("aria-expanded", "false");
    text.removeAttribute("aria-activedescendant");
  };
  function show() {
    const found = fitting(text.value.slice(0, text.selectionStart));
    if (!found?.choices.length) {
      hide();
      return;
    }
    ({ from, choices } = found);
    choices = choices.slice(0, 8);
    chosen = 0;
    fill(box, choices.map((each, i) => el("div", {
      class: "hint-row", role: "option", id: `${box.id}-${i}`,
      onmousedown: (event) => {
        event.preventDefault(); // the text keeps the focus
        take(each);
      },
    }, each.sign, el("strong", {}, each.name), each.about && el("small", {}, each.about))));
    box.hidden = false;
    text.setAttribute("aria-expanded", "true");
    mark();
  }
  hide();
  text.addEventListener("input", show);
  text.addEventListener("blur", hide);
  text.addEventListener("keydown", (event) => {
    if (!choices.length || event.isComposing) return;
    const whole = choices[chosen].text.trim() === text.value.slice(from).trim();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % choices.length;
      mark();
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !whole)) {
      take(choices[chosen]);
    } else if (event.key === "Escape") {
      hide();
    } else {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}
